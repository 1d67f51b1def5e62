import type { TransferReport } from '../../src/core/report.js'
import type { MessagePort, Worker } from 'node:worker_threads'
import { LinkHost } from '../../src/threads/worker/link-host.js'
import type { CallName, Note, Task } from '../../src/threads/protocol/messages.js'
import { Run } from '../../src/threads/main/run.js'
import { Thread, type RunTask } from '../../src/threads/main/thread.js'

/** Stand-in for a worker: a link host on this very thread, at the other end of a real channel. */
export class Loopback {
  /** Tasks that it was given, in order. */
  readonly tasks: Task[] = []
  readonly notes: Note[] = []
  readonly worker = {} as unknown as Worker
  /** Error that delivering a task fails with, if it does. */
  failure: Error | undefined
  /** Whether it ignores its tasks, as a thread that hangs does. */
  hangs = false
  #host: LinkHost | undefined
  #port: MessagePort | undefined

  /** Sends a message as the thread would. */
  tell(message: unknown): void {
    this.#port?.postMessage(message)
  }

  async handle(task: Task): Promise<void> {
    this.tasks.push(task)
    if (this.failure !== undefined) throw this.failure
    if ('call' in task && task.call === 'hello') {
      const { port, setup } = task
      this.#port = port
      this.#host = new LinkHost(port, setup)
      port.on('message', (note: Note) => {
        this.notes.push(note)
        this.#host?.note(note)
      })
      port.unref()
      port.postMessage({ event: 'answer', task: task.task, answer: null })
    } else if (!this.hangs) {
      await this.#host?.handle(task)
    }
  }

  /** Number of tasks of a kind that it was given. */
  count(kind: CallName | 'transfer'): number {
    return this.tasks.filter((task) => kindOf(task) === kind).length
  }
}

/** Kind of a task: its call, or `transfer`. */
export function kindOf(task: Task): CallName | 'transfer' {
  return 'call' in task ? task.call : 'transfer'
}

/** A thread without a worker, and a function that gives it a loopback as one. */
export function loopbackThread(number = 1, transfersPerThread = 1000) {
  const workers = new Map<Worker, Loopback>()
  const run: RunTask = async (worker, task) => workers.get(worker)?.handle(task)
  const limits = { startTimeout: Infinity, shutdownTimeout: Infinity, streamGrace: 1000 }
  const thread = new Thread(number, { transfersPerThread, ...limits }, run)
  const adopt = async () => {
    const loopback = new Loopback()
    workers.set(loopback.worker, loopback)
    await thread.adopt(loopback.worker)
    return loopback
  }
  return { thread, adopt }
}

/** Makes a transfer of the link with an id in a thread; rejects when the thread is lost. */
export function runIn(thread: Thread, id: number, transferNumber = 0): Promise<TransferReport> {
  return new Promise((resolve, reject) => {
    const name = `link ${id}`
    const ended = (_: Run, report: TransferReport) => resolve(report)
    const failed = (_: Run, error: Error) => reject(error)
    thread.run(new Run({ name, tags: [name], ended, failed }, { id, thread }, transferNumber, 0, false, resolve))
  })
}
