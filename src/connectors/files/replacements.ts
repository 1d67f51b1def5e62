import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { throwAny } from '../../base/many-errors.js'
import { toError } from '../../base/errors.js'
import { withLock } from '../../base/locks.js'
import type { Update } from '../../core/update.js'
import { descriptorOf } from './descriptors.js'
import { replacementOf, takePlace } from './replace.js'

/** A new file that takes the place of another one at the end of a transfer. */
interface Replacement {
  /** Path of the new file; `undefined` when the other one is written in place, as it cannot be replaced. */
  readonly made: string | undefined
  /** Number of records that were written to it. */
  records: number
}

/**
 * New files of transfers that have several rounds: each takes the place of another file after the last round, so that this
 * shows all rounds or none.
 */
export class Replacements {
  readonly #fsync: boolean
  readonly #of = new WeakMap<Update, Map<string, Replacement>>()

  constructor(fsync: boolean) {
    this.#fsync = fsync
  }

  /**
   * Path of the new file for a file; `undefined` when there is none. It is made when the content of the file is to be
   * replaced, and it can be.
   */
  async of(file: string, update: Update, isReplaced: boolean): Promise<string | undefined> {
    const known = this.#of.get(update)?.get(file)
    if (known !== undefined) return known.made
    if (!isReplaced || descriptorOf(file) !== undefined) return undefined
    await mkdir(path.dirname(file), { recursive: true })
    const made = await withLock(file, () => replacementOf(file))
    const all = this.#of.get(update) ?? new Map<string, Replacement>()
    this.#of.set(update, all.set(file, { made, records: 0 }))
    return made
  }

  /** Whether a transfer has a new file for any file. */
  has(update: Update): boolean {
    return this.#of.has(update)
  }

  /** Notes that records were written to a new file. */
  note(made: string, update: Update, records: number): void {
    for (const one of this.#of.get(update)?.values() ?? []) if (one.made === made) one.records += records
  }

  /**
   * Puts the new files of a transfer in their places, or removes them when the transfer is not complete.
   *
   * @returns number of the records that were in files which were removed
   * @throws what failed
   */
  async end(update: Update, isComplete: boolean): Promise<number> {
    const all = this.#of.get(update)
    this.#of.delete(update)
    let removed = 0
    const errors: Error[] = []
    for (const [file, { made, records }] of all ?? []) {
      if (made === undefined) continue
      try {
        if (!isComplete) {
          removed += records
          await rm(made, { force: true })
        } else if (!(await withLock(file, () => takePlace(made, file, this.#fsync)))) {
          throw new Error(`cannot replace ${file}`)
        }
      } catch (thrown) {
        errors.push(toError(thrown))
      }
    }
    throwAny(errors, 'several files could not be replaced')
    return removed
  }
}
