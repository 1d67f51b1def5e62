import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { throwAny } from '../../base/many-errors.js'
import { toError } from '../../base/errors.js'
import { withLock } from '../../base/locks.js'
import type { Update } from '../../core/update.js'
import { Claim } from './claim.js'
import { descriptorOf } from './descriptors.js'
import { closeHeld } from './held-files.js'
import { newPath, removeLeft } from './left-files.js'
import { replacementOf, takePlace } from './replace.js'

/** Most folders that are kept in mind. */
const MOST_FOLDERS = 1000

/** A new file that takes the place of another one at the end of a transfer. */
interface Replacement {
  /** Path of the new file; `undefined` when the other one is written in place, as it cannot be replaced. */
  readonly made: string | undefined
  /** Keeps others from taking the new file for one that was left. */
  readonly claim: Claim | string
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
  /** Transfers that are over. A push of which nobody waits for the end may go on. */
  readonly #over = new WeakSet<Update>()
  /** Folders in which new files were looked for that others have left. */
  readonly #clean = new Set<string>()

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
    const folder = path.dirname(file)
    await mkdir(folder, { recursive: true })
    await this.#cleanUp(folder)
    const to = newPath(folder)
    const claim = await Claim.take(to, 'an outlet that writes it')
    let made: string | undefined
    try {
      made = await withLock(file, () => replacementOf(file, to))
    } finally {
      if (made === undefined) await release(claim)
    }
    const replacement = { made, claim, records: 0 }
    if (this.#over.has(update)) {
      await discard(replacement)
      update.signal.throwIfAborted()
      throw new Error('its transfer is over')
    }
    const all = this.#of.get(update) ?? new Map<string, Replacement>()
    this.#of.set(update, all.set(file, replacement))
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
    this.#over.add(update)
    let removed = 0
    const errors: Error[] = []
    for (const [file, replacement] of all ?? []) {
      const { made, records } = replacement
      if (made === undefined) continue
      try {
        await closeHeld([made])
        if (!isComplete) {
          removed += records
          await discard(replacement)
        } else if (!(await withLock(file, () => takePlace(made, file, this.#fsync)))) {
          throw new Error(`cannot replace ${file}`)
        }
      } catch (thrown) {
        errors.push(toError(thrown))
      } finally {
        await release(replacement.claim)
      }
    }
    throwAny(errors, 'several files could not be replaced')
    return removed
  }

  async #cleanUp(folder: string): Promise<void> {
    if (this.#clean.has(folder)) return
    if (this.#clean.size >= MOST_FOLDERS) this.#clean.clear()
    this.#clean.add(folder)
    await removeLeft(folder)
  }
}

/** Removes a new file, once nobody writes to it. */
async function discard(replacement: Replacement): Promise<void> {
  const { made } = replacement
  // a push that was told to stop may still write
  if (made !== undefined) await withLock(made, () => rm(made, { force: true }))
  await release(replacement.claim)
}

async function release(claim: Claim | string): Promise<void> {
  if (claim instanceof Claim) await claim.release()
}
