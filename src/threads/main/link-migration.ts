import type { Thread } from './thread.js'

/** A link on its way from one thread to another. Its transfers that come due meanwhile wait. */
export interface LinkMigration {
  /** The id under which it is open. */
  readonly id: number
  /** Whether it is open where it comes from: otherwise there is nothing to hand over. To be asked when it is idle. */
  readonly open: boolean
  /** Resolves when none of its transfers is under way there any more. */
  readonly idle: Promise<void>
  /** Opens it in a thread, with what its instances handed over. */
  arrive(thread: Thread, state: unknown): Promise<void>
  /** It is open where it was, as nothing came of it. */
  stay(): void
  /**
   * It leaves without what its instances have: what its buffers hold is released through its outlets. Gives how many records
   * are lost all the same.
   */
  giveUp(): Promise<number>
  /** Ends the move: what waits goes on, wherever it is by now. */
  end(): void
}

/** What can be moved. */
export interface Movable {
  /** `undefined` when it is not in that thread, or on its way already. */
  startMigration(thread: Thread): LinkMigration | undefined
}
