import type { Random } from '../faults/random.js'
import type { Owner, postgresServer } from '../helpers/postgres.js'
import type { s3Server } from '../helpers/s3.js'

/** What came of a job whose process was killed again and again. */
export interface Verdict {
  /** Records that the source has. */
  readonly records: number
  /** Records that never came. */
  readonly lost: number
  /** Records that came again, and were told apart as the job promises. */
  readonly again: number
  /** What is wrong, in sentences. */
  readonly wrong: readonly string[]
}

/** An example job with its source and its target. */
export interface Job {
  /** Environment of the example. */
  readonly env: { readonly [name: string]: string }
  /** Number of steps that a transfer of what `grow` adds takes, about. */
  readonly steps: number
  /** Gives the source more records. */
  grow(): Promise<void>
  /** Whether the target has all that the source has. */
  isComplete(): Promise<boolean>
  judge(): Promise<Verdict>
}

/** Servers of jobs. */
export interface Servers {
  readonly postgres: Awaited<ReturnType<typeof postgresServer>>
  readonly s3: Awaited<ReturnType<typeof s3Server>>
}

/** What a job is made with. */
export interface Workshop extends Servers {
  /** Owner of its database, its bucket and its HTTP server. */
  readonly owner: Owner
  readonly random: Random
  /** Called at each step of a transfer that servers see: a request, or a piece of data from the job to a server. */
  readonly onStep: () => void
}

export type JobMaker = (workshop: Workshop) => Promise<Job>
