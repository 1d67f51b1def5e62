import type { TransferRequest } from '../planned-link.js'
import type { CountsSoFar } from '../report.js'

/**
 * A transfer to be made, as the host of its link asks for it.
 * @internal
 */
export interface HostedRequest extends TransferRequest {
  /** Number of the transfer; counted by the link itself when left out. */
  readonly transferNumber?: number
  /**
   * Number of the thread it runs in, 0 for the main thread.
   * @default 0
   */
  readonly thread?: number
  /**
   * Whether nothing is pulled and everything that is held back comes out.
   * @default false
   */
  readonly drain?: boolean
  /** Reason to stop the transfer before it begins. */
  readonly cancelled?: Error | undefined
  /**
   * Whether a transfer that streams ends with what it has pulled at once.
   * @default false
   */
  readonly ending?: boolean
  /**
   * Called for a transfer that turns out to stream, and then for each round that begins or ends: with what the rounds did
   * that have ended.
   */
  readonly progress?: ((counts: CountsSoFar) => void) | undefined
  /** Called when user code is entered and left, as far as it goes at a stretch. */
  readonly inside?: (inside: boolean) => void
}
