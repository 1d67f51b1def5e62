import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { userInfo } from 'node:os'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { toError } from '../../base/errors.js'
import { ControlError } from '../../operate/control/errors.js'
import { PROTOCOL, protocolLine, type ControlAnswer, type ControlRequest } from '../../operate/control/protocol.js'
import { LONGEST_PATH, shortPath } from '../../operate/control/socket-path.js'

/** Time for the first answer, in milliseconds. */
const FIRST_ANSWER = 10_000

/** Tries of a connection that is ended without an answer, as there were too many at once, and the time between. */
const MOST_TRIES = 5
const PAUSE = 200

/** A request without what this adds. */
export type Asked = Omit<ControlRequest, 'databay' | 'by'>

/**
 * Asks a process.
 *
 * @param socketPath - path of its socket
 * @param patience - time for the first answer, in milliseconds
 * @returns its answers as they come
 * @throws {@link ControlError} when nobody listens there, or the process does not answer
 */
export async function* ask(socketPath: string, asked: Asked, patience = FIRST_ANSWER): AsyncGenerator<ControlAnswer> {
  for (let tries = 1; ; tries++) {
    let answers = 0
    for await (const answer of askOnce(socketPath, asked, patience)) {
      answers++
      yield answer
    }
    if (answers > 0) return
    if (tries === MOST_TRIES)
      throw new ControlError(`${socketPath}: the process ended the connection without an answer`)
    await wait(PAUSE)
  }
}

/** Asks a process for one answer. */
export async function askFor(socketPath: string, asked: Asked, patience?: number): Promise<ControlAnswer> {
  for await (const answer of ask(socketPath, asked, patience)) return answer
  throw new ControlError(`${socketPath}: no answer`)
}

async function* askOnce(socketPath: string, asked: Asked, patience: number): AsyncGenerator<ControlAnswer> {
  const socket = await connected(socketPath)
  let broken: Error | undefined
  const timer = setTimeout(() => {
    broken = new ControlError(
      `${socketPath}: the process did not answer within ${patience / 1000} s: it hangs, or is stopped`,
    )
    socket.destroy()
  }, patience)
  try {
    socket.write(protocolLine({ databay: PROTOCOL, ...asked, by: { pid: process.pid, user: userName() } }))
    for await (const line of linesOf(socket)) {
      clearTimeout(timer)
      yield readAnswer(line, socketPath)
    }
    if (broken !== undefined) throw broken
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** Lines that come from a socket, until it ends, however it does. */
async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = ''
  socket.setEncoding('utf8')
  try {
    for await (const text of socket as AsyncIterable<string>) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } catch {
    return // the process is gone
  }
  if (rest !== '') yield rest
}

async function connected(socketPath: string): Promise<Socket> {
  const path = shortPath(socketPath)
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw new ControlError(`${socketPath}: the path of a socket may have ${LONGEST_PATH} bytes`)
  const socket = connect(path)
  try {
    await once(socket, 'connect')
  } catch (thrown) {
    const cause = toError(thrown) as NodeJS.ErrnoException
    throw new ControlError(`${socketPath}: ${REASONS[cause.code ?? ''] ?? cause.message}`, { cause })
  }
  return socket
}

const REASONS: { readonly [code: string]: string } = {
  ENOENT: 'there is no socket: no process is steered by it',
  ECONNREFUSED: 'nobody listens at it any more: its process has ended',
  ENOTSOCK: 'it is no socket',
  EAGAIN: 'too many wait for its process: it hangs, or is stopped',
  EACCES: 'it belongs to another user, who alone can steer the process',
  EPERM: 'it belongs to another user, who alone can steer the process',
}

function readAnswer(line: string, socketPath: string): ControlAnswer {
  try {
    return JSON.parse(line) as ControlAnswer
  } catch (cause) {
    throw new ControlError(`${socketPath}: what answers there is no databay, or ended in the middle`, { cause })
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? '?'}` // a container may have no name for it
  }
}
