import { toError } from '../../base/errors.js'
import type { CallName, Calls, Task } from '../protocol/messages.js'

interface Pending {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
  readonly early: Early
}

/** Takes the answer to one of the questions of a call, by its place, while others take longer. */
export type Early = (at: number, answer: unknown) => void

/** The calls of a thread that have not been answered. An answer comes by the channel, not as the result of its task. */
export class ThreadCalls {
  readonly #pending = new Map<number, Pending>()
  #tasks = 0

  /** Number of calls that have not been answered. */
  get size(): number {
    return this.#pending.size
  }

  /**
   * Makes a call. Settles as its answer says, or rejects when the task cannot be sent.
   *
   * @param send - sends the task; rejects when that fails
   * @param early - takes what is answered in parts
   */
  ask<K extends CallName>(
    call: K,
    request: Calls[K]['request'],
    send: (task: Task) => Promise<unknown>,
    early: Early = nobodyWaits,
  ): Promise<Calls[K]['answer']> {
    return new Promise((resolve, reject) => {
      const task = this.#tasks++
      this.#pending.set(task, { resolve: resolve as (answer: unknown) => void, reject, early })
      send({ call, task, ...request } as unknown as Task).catch((error: unknown) => {
        this.fail(task, toError(error))
      })
    })
  }

  /** Takes the answers to some of the questions of a task, by their places, while the others take longer. */
  part(task: number, at: readonly number[], answers: readonly unknown[]): void {
    const early = this.#pending.get(task)?.early
    if (early === undefined) return
    for (const [index, place] of at.entries()) early(place, answers[index])
  }

  /** Takes the answer to a task. */
  answer(task: number, answer: unknown): void {
    this.#take(task)?.resolve(answer)
  }

  /** Takes the error that a task ended with. */
  fail(task: number, error: Error): void {
    this.#take(task)?.reject(error)
  }

  /** Fails all calls that have not been answered. */
  failAll(error: Error): void {
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(error)
  }

  #take(task: number): Pending | undefined {
    const pending = this.#pending.get(task)
    this.#pending.delete(task)
    return pending
  }
}

function nobodyWaits(): void {
  // the whole answer follows
}
