import { availableParallelism, totalmem } from 'node:os'
import { InvalidOptionError } from '../base/errors.js'

/** Most threads for each core: a thread takes a core a quarter of a second to start, and runs many transfers at once. */
const PER_CORE = 64
/** Number of threads that any machine may have that has the memory for them. */
const ON_ANY_MACHINE = 256
/** Memory of a thread that does nothing but host a few links, in MiB, with some to spare. */
const MEMORY = 32

/** A machine, or the part of it that a container has. */
export interface Machine {
  readonly cores: number
  /** Memory in MiB. */
  readonly memory: number
}

/** The most threads that a machine can have, and why, for errors. */
export function mostThreads({ cores, memory }: Machine = machine()): { readonly most: number; readonly why: string } {
  const byCores = Math.max(ON_ANY_MACHINE, PER_CORE * cores)
  const byMemory = Math.max(1, Math.floor(memory / MEMORY))
  return byMemory < byCores
    ? { most: byMemory, why: `one for each ${MEMORY} MiB of its ${Math.floor(memory)} MiB of memory` }
    : { most: byCores, why: `${PER_CORE} for each of its cores, and at least ${ON_ANY_MACHINE}` }
}

/**
 * Checks a number of threads.
 *
 * @param name - name of the option, for the error
 * @throws {@link InvalidOptionError} unless it is an integer of at least 1, and this machine can have so many
 */
export function checkThreads(name: string, threads: number, here?: Machine): number {
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new InvalidOptionError(name, 'an integer of at least 1', threads)
  }
  const { most, why } = mostThreads(here)
  if (threads <= most) return threads
  throw new InvalidOptionError(name, `at most ${most}, which is what this machine can have (${why})`, threads)
}

/** Number of threads where none is asked for: one for each core, as far as there is memory. */
export function usualThreads(here: Machine = machine()): number {
  return Math.min(here.cores, mostThreads(here).most)
}

function machine(): Machine {
  const constrained = process.constrainedMemory()
  const total = totalmem()
  // 0 when it is not known, and beyond all measure when there is no limit
  const bytes = constrained > 0 ? Math.min(constrained, total) : total
  return { cores: availableParallelism(), memory: bytes / 2 ** 20 }
}
