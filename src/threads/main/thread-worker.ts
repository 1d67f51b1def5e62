/** What each thread runs. Found beside `src`, in the sources as in the build. */
export const ENTRY = new URL('../../../workers/transfer.js', import.meta.url).href

/** Bounded by ourselves, so Piscina shall not. */
export const UNBOUNDED = 1_000_000

/**
 * Megabytes for young objects: record pipelines make many, and much of the time goes into collecting them. A third of
 * it may become old at once, and that must be less than the 16 MiB that Node grants a thread that has reached its
 * limit: with 64 MiB, two of twelve threads out of memory took the whole process with them; with 32, none of twenty.
 */
export const YOUNG_GENERATION_MB = 32

/** How long to wait until a worker is started again that ended before it took tasks, in milliseconds: twice as long each time. */
export const REVIVAL = 500

export const LONGEST_REVIVAL = 60_000
