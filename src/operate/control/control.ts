import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { UndoStack } from '../../base/undo-stack.js'
import type { Service, SteeredPlanner } from '../service.js'
import { ControlServer } from './control-server.js'
import { ControlError, PlaceTakenError } from './errors.js'
import { linkTo, publish } from './publish.js'
import { openSocketFolder, socketFolder } from './socket-folder.js'
import { SOCKET_NAME } from './socket-path.js'
import { Steering } from './steering.js'

/** Most sockets of one process number in the folder. */
const MOST_NUMBERS = 100

/**
 * Lets a planner be looked at and steered through a Unix socket, by `databay status`, `force`, `pause` and `resume`.
 *
 * @param control - path of the socket; `true` for a usual place: the folder of the store, else that of temporary files
 * @param store - folder of the store; `undefined` for none
 * @throws {@link ControlError} when no socket can be made at the path. Without a path, that is logged
 */
export async function openControl(
  planner: SteeredPlanner,
  control: string | true,
  store: string | undefined,
): Promise<Service> {
  const undo = new UndoStack()
  try {
    if (process.platform === 'win32')
      throw new ControlError('a process cannot be steered on Windows: there is no Unix socket')
    await open(planner, control, store, undo)
  } catch (thrown) {
    await undo.undo()
    const error = toError(thrown)
    if (control !== true) throw error
    getLogger('databay.Control').warn(
      `databay status, force, pause and resume will not find this process: ${error.message}`,
    )
  }
  return {
    close: async () => {
      await undo.undo()
    },
  }
}

async function open(
  planner: SteeredPlanner,
  control: string | true,
  store: string | undefined,
  undo: UndoStack,
): Promise<void> {
  let steering: Steering | undefined
  const server = new ControlServer(async (request, answer) => steering?.do(request, answer))
  undo.push(() => {
    server.close()
  })
  if (control !== true) {
    steering = new Steering(planner, await publishAt(server, control, undo))
    await linkForAll(control, undo)
    return
  }
  const socket = store === undefined ? undefined : await tryInStore(server, store, undo)
  steering = new Steering(planner, socket ?? (await publishInFolder(server, undo)))
  if (socket !== undefined) await linkForAll(socket, undo)
}

async function publishAt(server: ControlServer, path: string, undo: UndoStack): Promise<string> {
  undo.push(await publish(server.server, path))
  return resolve(path)
}

/** Publishes the socket in the folder of the store, which may be made later on. */
async function tryInStore(server: ControlServer, store: string, undo: UndoStack): Promise<string | undefined> {
  try {
    mkdirSync(store, { recursive: true, mode: 0o700 })
    return await publishAt(server, join(store, SOCKET_NAME), undo)
  } catch (error) {
    getLogger('databay.Control').info(`no socket in the store: ${toError(error).message}`)
    return undefined
  }
}

async function publishInFolder(server: ControlServer, undo: UndoStack): Promise<string> {
  const folder = socketFolder()
  openSocketFolder(folder)
  return firstFree((number) => publishAt(server, pathIn(folder, number), undo))
}

/** Makes a socket elsewhere known in the folder where commands look for processes. */
async function linkForAll(socket: string, undo: UndoStack): Promise<void> {
  try {
    const folder = socketFolder()
    openSocketFolder(folder)
    undo.push(await firstFree((number) => linkTo(socket, pathIn(folder, number))))
  } catch (error) {
    const what = `commands find this process by --control ${socket} alone`
    getLogger('databay.Control').info(`${what}: ${toError(error).message}`)
  }
}

/** Tries numbers until one is not that of another planner of this process, or of a process 1 of another container. */
async function firstFree<T>(attempt: (number: number) => Promise<T>): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await attempt(number)
    } catch (error) {
      if (!(error instanceof PlaceTakenError) || number === MOST_NUMBERS) throw error
    }
  }
}

function pathIn(folder: string, number: number): string {
  return join(folder, `${process.pid}${number === 1 ? '' : `-${number}`}.sock`)
}
