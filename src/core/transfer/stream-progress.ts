import type { CountsSoFar } from '../report.js'
import type { Waits } from './waits.js'

/** Time after which it is told that a transfer streams, should its second round not have begun, in milliseconds. */
const SOON = 100

/** What is told of a transfer that streams: see `HostedRequest`. */
interface Listeners {
  readonly streams?: (() => void) | undefined
  readonly progress?: ((counts: CountsSoFar) => void) | undefined
}

/** Shows what the rounds of a transfer did, and tells that it streams. Nothing is told of one that is over soon and had one round. */
export class StreamProgress {
  readonly #listeners: Listeners
  readonly #counts: () => CountsSoFar
  /** Counts of the rounds that have ended. */
  #ended: CountsSoFar
  #isTold = false
  readonly #stopTelling: () => void

  /** @param counts - gives the counts of the transfer, which are whole between two rounds */
  constructor(listeners: Listeners, waits: Waits, counts: () => CountsSoFar) {
    this.#listeners = listeners
    this.#counts = counts
    this.#ended = counts()
    // a stream may wait for its next list for ever
    this.#stopTelling = waits.after(SOON, () => {
      this.#tell(this.#counts().rounds)
    })
  }

  /** Counts of the rounds that have ended. */
  get soFar(): CountsSoFar {
    return this.#ended
  }

  /** Takes note that a round begins: nothing of it is counted yet. */
  roundBegins(rounds: number): void {
    if (rounds > 1 && !this.#isTold) this.#tell(rounds)
    else this.#tellCounts(rounds)
  }

  /** Takes note that a round has ended. */
  roundEnds(): void {
    this.#ended = this.#counts()
    this.#tellCounts(this.#ended.rounds)
  }

  /** Takes note that there are no more rounds. */
  end(): void {
    this.#stopTelling()
  }

  #tell(rounds: number): void {
    this.#stopTelling()
    this.#isTold = true
    this.#listeners.streams?.()
    this.#tellCounts(rounds)
  }

  #tellCounts(rounds: number): void {
    if (this.#isTold) this.#listeners.progress?.({ ...this.#ended, rounds })
  }
}
