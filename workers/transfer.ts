/**
 * The module that the Piscina pool runs in each thread. A shim: it takes the channel from the first task, and gives the
 * others to the `LinkHost`. It does not throw, neither when it is loaded (Piscina would start no further thread) nor in
 * a task (an error that cannot be cloned would end the thread).
 */
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { importLater } from '../src/base/libraries.js'
import { setLogDestination, adoptLogLevels, setLogThread } from '../src/base/log.js'
import { printToStandardError } from '../src/base/standard-output.js'
import type { MaybePromise } from '../src/base/maybe-promise.js'
import { LinkHost } from '../src/threads/worker/link-host.js'
import type { Calls, Note, Task } from '../src/threads/protocol/messages.js'
import { BEAT_INTERVAL } from '../src/threads/protocol/pulse.js'

/**
 * Piscina tries `require()` before `import()`. For an ES module with a default export, Node then makes a facade unless
 * the module says that it is like one; and ends the process, not the thread, when the thread is ended at that moment:
 * "Assertion failed: facade->InstantiateModule(...).IsJust()", Node 20.20, one of some hundred threads that are ended
 * as they load.
 */
export const __esModule = true

let host: LinkHost | undefined
let notes: MessagePort | undefined
/** Resolves when the thread is set up; `undefined` from then on. */
let warmingUp: Promise<void> | undefined

/** Does a task. Piscina calls this for each. */
function run(task: Task): MaybePromise<void> {
  if ('call' in task && task.call === 'hello') {
    const greeted = hello(task)
    task.port.postMessage({ event: 'answer', task: task.task, answer: null })
    const done = () => {
      warmingUp = undefined
    }
    warmingUp = warmUp(greeted).then(done, done)
    return
  }
  // tasks and notes come by different ways: notes that were sent before this task are taken before it
  while (notes !== undefined && host !== undefined) {
    const next = receiveMessageOnPort(notes)
    if (next === undefined) break
    host.note(next.message as Note)
  }
  return warmingUp === undefined ? host?.handle(task) : warmingUp.then(() => host?.handle(task))
}

/** What Piscina runs: programs name it, as `databay/worker`, and do not call it. */
export default run as (task: never) => unknown

/**
 * Sets the thread up, and then loads in advance what most link modules import. Tasks wait for it: Node 20 cannot `require()`,
 * as a CommonJS module does, what is being imported. Only in the build: from the sources it would take too long.
 */
async function warmUp(greeted: LinkHost): Promise<void> {
  await greeted.prepare()
  if (import.meta.url.endsWith('.js')) await importLater(() => import('../src/index.js'))
}

/** Takes the channel and the settings. */
function hello({ port, setup }: Calls['hello']['request']): LinkHost {
  const greeted = new LinkHost(port, setup)
  host = greeted
  notes = port
  setLogThread(setup.thread)
  if (setup.printsToError === true) printToStandardError()
  adoptLogLevels(setup.logLevels)
  setLogDestination({
    write: (line) => {
      greeted.log(line)
    },
  })
  greeted.beat()
  setInterval(() => {
    greeted.beat()
  }, BEAT_INTERVAL).unref()
  if (setup.trace === true) {
    process.on('unhandledRejection', (reason, promise) => {
      greeted.blame(promise)
      // the thread ends, as it would without this listener, unless the link's own code listens too
      if (process.listenerCount('unhandledRejection') === 1) throw reason
    })
  }
  port.on('message', (note: Note) => {
    greeted.note(note)
  })
  // the pool keeps the thread; the channel alone must not
  port.unref()
  return greeted
}
