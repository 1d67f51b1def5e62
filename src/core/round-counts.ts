/** How far a transfer came, in rounds: those that it began, and of these the first ones that were delivered. */
export interface RoundCounts {
  /** Number of rounds that the transfer began. 1 for a transfer that does not stream, 0 where no round began. */
  readonly rounds: number
  /** Number of rounds, from the first one on, all of whose records were delivered. */
  readonly deliveredRounds: number
}
