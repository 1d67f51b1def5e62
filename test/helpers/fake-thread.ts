import type { Run } from '../../src/threads/main/run.js'
import type { Thread } from '../../src/threads/main/thread.js'
import type { Note, OpenRequest } from '../../src/threads/protocol/messages.js'

/** Stands in for a thread: notes what it is asked for, and does it at once. */
export class FakeThread {
  readonly number: number
  worker: object | undefined = {}
  load = 0
  /** What it was asked for, in order. */
  readonly calls: string[] = []
  readonly runs: Run[] = []
  readonly notes: Note[] = []
  /** What opening a link fails with, if it does. */
  failure: Error | undefined
  /** What closing a link fails with, if it does. */
  closeFailure: Error | undefined

  constructor(number: number) {
    this.number = number
  }

  get thread(): Thread {
    return this as unknown as Thread
  }

  async open({ id, state }: OpenRequest): Promise<void> {
    this.calls.push(state === undefined ? `open ${id}` : `open ${id} ${JSON.stringify(state)}`)
    if (this.failure !== undefined) throw this.failure
  }

  async close(id: number): Promise<void> {
    this.calls.push(`close ${id}`)
    if (this.closeFailure !== undefined) throw this.closeFailure
  }

  run(run: Run): void {
    this.runs.push(run)
  }

  note(note: Note): void {
    this.notes.push(note)
  }
}
