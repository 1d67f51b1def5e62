import { readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { timeText, tableLines } from '../links/link-text.js'
import { ControlError } from '../../operate/control/errors.js'
import type { ProcessStatus } from '../../operate/control/process-status.js'
import { checkSocketFolder, socketFolder } from '../../operate/control/socket-folder.js'
import { removeGone } from '../../operate/control/publish.js'
import { listens, SOCKET_NAME } from '../../operate/control/socket-path.js'
import { askFor } from './control-client.js'
import { modulesText } from './process-text.js'

/** Time for a process to say which it is, in milliseconds. */
const PATIENCE = 2000

/** Where a socket may be. */
export interface Places {
  /** Path of the socket. */
  readonly control?: string
  /** Folder of the store of its process. */
  readonly store?: string
}

/** What a command says of the process that it is about. */
export interface Wanted extends Places {
  readonly pid?: number
}

/**
 * Finds the process that a command is about.
 *
 * @param configured - reads the places that the environment or the configuration says: a process that runs there counts
 * @returns path of its socket
 * @throws {@link ControlError} when there is none, or there are several
 */
export async function findProcess({ control, pid, store }: Wanted, configured: () => Promise<Places>): Promise<string> {
  if (control !== undefined) return control
  if (store !== undefined) return join(store, SOCKET_NAME)
  if (pid === undefined) {
    const known = await configured()
    for (const socket of [known.control, known.store && join(known.store, SOCKET_NAME)]) {
      if (socket !== undefined && (await listens(socket)) === 'yes') return socket
    }
  }
  const folder = socketFolder()
  const running = await runningProcesses(folder)
  const wanted = pid === undefined ? running : withNumber(running, pid)
  const [only] = wanted
  if (only === undefined) throw none(folder, pid, running)
  if (wanted.length > 1) throw several(wanted)
  return only.socket
}

/** A process whose socket is in the folder. */
interface Running {
  readonly pid: number
  /** Path of its socket in the folder. */
  readonly socket: string
  /** What it says of itself; `undefined` when it does not answer. */
  readonly status: ProcessStatus | undefined
}

/** Processes whose sockets are in the folder. Sockets of processes that are gone are removed. */
async function runningProcesses(folder: string): Promise<Running[]> {
  if (!checkSocketFolder(folder)) return []
  const names = readdirSync(folder).filter((name) => /^\d+(-\d+)?\.sock$/.test(name))
  const found = await Promise.all(names.map((name) => processAt(join(folder, name))))
  const known = new Set<string>()
  return found.flatMap((one) => {
    if (one === undefined) return []
    // links of two containers may lead to the socket of one
    const key = `${one.status?.host ?? ''} ${one.pid} ${one.status?.socket ?? one.socket}`
    if (known.has(key)) return []
    known.add(key)
    return [one]
  })
}

async function processAt(socket: string): Promise<Running | undefined> {
  if ((await listens(socket)) !== 'yes') {
    await removeGone(socket)
    return undefined
  }
  try {
    const answer = await askFor(socket, { action: 'hello' }, PATIENCE)
    if (answer.type === 'hello') return { pid: answer.process.pid, socket, status: answer.process }
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    if ((await listens(socket)) !== 'yes') return undefined // it has just ended
  }
  return { pid: Number.parseInt(basename(socket), 10), socket, status: undefined }
}

/** Processes with a number; where containers share the folder, rather those of this one. */
function withNumber(running: readonly Running[], pid: number): Running[] {
  const all = running.filter((one) => one.pid === pid)
  const here = all.filter(({ status }) => status?.host === hostname())
  return here.length > 0 ? here : all
}

function none(folder: string, pid: number | undefined, running: readonly Running[]): ControlError {
  if (pid !== undefined && running.length > 0)
    return new ControlError(
      [`process ${pid} runs no links that can be steered. Those that do:`, ...listOf(running)].join('\n'),
    )
  const which = pid === undefined ? 'no process runs links' : `process ${pid} runs no links that can be steered`
  return new ControlError(
    [
      `${which}: looked for its socket in ${folder}`,
      'start one with databay run, or give the planner of an application the option control',
      'one with another TMPDIR, or in a container, is found by --control and the path of its socket, or by its --store',
    ].join('\n'),
  )
}

function several(running: readonly Running[]): ControlError {
  return new ControlError(['several processes run links: choose one by --pid', ...listOf(running)].join('\n'))
}

function listOf(running: readonly Running[]): string[] {
  const now = Date.now()
  const hosts = new Set(running.map(({ status }) => status?.host))
  const rows = running.map(({ pid, socket, status }) => [
    String(pid),
    status === undefined ? 'does not answer' : timeText(status.startedAt, now),
    status === undefined ? '' : modulesText(status),
    ...(hosts.size > 1 || running.some((one) => one.pid === pid && one.socket !== socket)
      ? [`${status?.host ?? ''}, --control ${socket}`]
      : []),
  ])
  return tableLines([['pid', 'since', 'links', ''], ...rows])
}
