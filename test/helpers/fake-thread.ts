import type { Held } from '../../src/core/link-accounts.js'
import type { Run } from '../../src/threads/main/run.js'
import type { Thread } from '../../src/threads/main/thread.js'
import type { Note } from '../../src/threads/protocol/messages.js'
import type { OpenRequest } from '../../src/threads/protocol/packed-opens.js'

/** Stand-in for a thread: records what it is asked for, and does it at once. */
export class FakeThread {
  readonly number: number
  worker: object | undefined = {}
  load = 0
  /** Calls to open and close links, in order. */
  readonly calls: string[] = []
  readonly runs: Run[] = []
  readonly notes: Note[] = []
  /** Error of opening a link; `undefined` for none. */
  failure: Error | undefined
  /** Records that are lost when a link is opened; `undefined` for none. */
  lost: Held | undefined
  /** Error of closing a link; `undefined` for none. */
  closeFailure: Error | undefined
  #onIdle: () => void = () => undefined

  constructor(number: number) {
    this.number = number
  }

  get thread(): Thread {
    return this as unknown as Thread
  }

  async open({ id, state }: OpenRequest): Promise<Held | undefined> {
    this.calls.push(state === undefined ? `open ${id}` : `open ${id} ${JSON.stringify(state)}`)
    if (this.failure !== undefined) throw this.failure
    return this.lost
  }

  async close(id: number): Promise<void> {
    this.calls.push(`close ${id}`)
    if (this.closeFailure !== undefined) throw this.closeFailure
  }

  run(run: Run): void {
    this.runs.push(run)
  }

  loadOf(): number {
    return this.runs.length
  }

  async idleOf(): Promise<void> {
    if (this.runs.length > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  /** Ends all runs. */
  finish(): void {
    this.runs.length = 0
    this.#onIdle()
  }

  note(note: Note): void {
    this.notes.push(note)
  }
}
