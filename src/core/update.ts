import type { Signal } from '../base/node-types.js'
import { Cancellation } from './cancellation.js'

/**
 * Identity of one transfer, given to every inlet and outlet that it touches. As a string it reads
 * `{tags}.{transferNumber}`, for example `twitter_link.16`.
 */
export class Update {
  /** Tags of the governing link. */
  readonly tags: readonly string[]
  /** Incremental number of the transfer within its link, from 0. */
  readonly transferNumber: number
  /**
   * Which try this is for the batch that an outlet is given: 1, or more when a link with `delivery` tries again after the
   * outlet failed. Batches that are tried again may have been taken in part.
   */
  readonly attempt: number
  /** Whether the outlet is given dead letters, which are older than what it got before. */
  readonly replay: boolean
  readonly #cancellation: Cancellation
  readonly #id: string | undefined
  #hasRounds = false

  /**
   * @param push - of a batch that is not pushed for the first time
   * @param id - of the link; `undefined` when it has none
   */
  constructor(
    tags: readonly string[],
    transferNumber: number,
    cancellation: Cancellation = new Cancellation(),
    push: { readonly attempt?: number; readonly replay?: boolean } = {},
    id?: string,
  ) {
    this.tags = tags
    this.transferNumber = transferNumber
    this.attempt = push.attempt ?? 1
    this.replay = push.replay ?? false
    this.#cancellation = cancellation
    this.#id = id
  }

  /** Name of the link as in logs and reports: its id, or else its tags, or else `link`. */
  get link(): string {
    return this.#id ?? (this.tags.length === 0 ? 'link' : this.tags.join('.'))
  }

  /**
   * This transfer's identity for another push, which belongs to the transfer of another update.
   *
   * @param host - update of the transfer that makes the push: the push stops when that is told to stop
   * @internal
   */
  forPush(host: Update, push: { readonly attempt: number; readonly replay: boolean }): Update {
    return new Update(this.tags, this.transferNumber, host.#cancellation, push, this.#id)
  }

  /**
   * Aborts when the transfer is told to stop: its link's `timeout` has passed, or the planner shuts down without
   * waiting. Hand it to whatever takes an `AbortSignal`.
   */
  get signal(): Signal {
    return this.#cancellation.signal
  }

  /** Whether the transfer may have several rounds, as inlets stream or its link cuts lists: it then pushes in each. */
  get hasRounds(): boolean {
    return this.#hasRounds
  }

  /**
   * Notes that the transfer may have several rounds.
   * @internal
   */
  noteRounds(): void {
    this.#hasRounds = true
  }

  toString(): string {
    return updateText(this.tags, this.transferNumber)
  }
}

/**
 * How an update reads.
 * @internal
 */
export function updateText(tags: readonly string[], transferNumber: number): string {
  // most links have one tag, and this runs for every transfer
  const [first] = tags
  if (first === undefined) return String(transferNumber)
  return tags.length === 1 ? `${first}.${transferNumber}` : `${tags.join('.')}.${transferNumber}`
}

/**
 * How a transfer reads in errors and logs: its update, and its link where the update does not say it.
 * @internal
 */
export function transferText(update: string, link: string): string {
  return link === '' || update.startsWith(link) ? update : `${update} of ${link}`
}
