import { LONGEST_TIMER } from '../base/duration.js'
import { getLogger } from '../base/log.js'
import { lengthText } from '../base/repeats.js'
import { StoreError } from './errors.js'
import { inTransaction, passes, storeError, type Database } from './sqlite.js'

/** What the links of a thread wait for while nothing can be written. */
export interface CommitTrouble {
  /** Failure of the last try, such as a full disk. */
  readonly error: Error
  /** Number of tries so far. */
  readonly tries: number
  /** Time to the next try, in milliseconds. */
  readonly delay: number
}

/** Surroundings of a {@link GroupCommit}. */
export interface CommitOptions {
  /** Takes note that a commit failed and is tried again. Until then nothing is written. */
  readonly onTrouble?: (trouble: CommitTrouble) => void
  /** Takes note that commits succeed again. */
  readonly onRecovered?: () => void
  /** Calls a function later. @returns what calls it off */
  readonly later?: (milliseconds: number, call: () => void) => () => void
}

/** Shortest and longest time between two tries of a commit, in milliseconds. */
const MIN_DELAY = 100
const MAX_DELAY = 10_000

interface Write {
  readonly work: () => unknown
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
  /** Takes note that it is not written yet, as commits fail. */
  readonly delayed: ((why: Error) => void) | undefined
}

/**
 * Writes of all links of a thread, those of one turn of the event loop in one transaction: a commit takes as long for many
 * as for one. Each caller hears when its own is on the disk.
 *
 * A commit that fails for a reason that passes, such as a full disk, is tried again, for ever, and all wait. One that fails
 * for another reason is made again write by write, so that only the culprit fails.
 */
export class GroupCommit {
  readonly #database: Database
  readonly #options: CommitOptions
  readonly #later: (milliseconds: number, call: () => void) => () => void
  /** Writes that wait for the next commit. */
  #waiting: Write[] = []
  /** Calls the next commit off; `undefined` when none is planned. */
  #callOff: (() => void) | undefined
  /** Number of tries that failed in succession. */
  #failures = 0
  /** Time of the first of them, by a clock that nobody sets. */
  #failingSince = 0
  /** Failure of the last try. */
  #failure: Error | undefined
  #isClosed = false

  constructor(database: Database, options: CommitOptions = {}) {
    this.#database = database
    this.#options = options
    this.#later = options.later ?? withTimer
  }

  /** Whether the last commit failed, and waits for its next try. */
  get isInTrouble(): boolean {
    return this.#failures > 0
  }

  /**
   * Has work done in the next transaction.
   *
   * @param work - what changes the database; it may be called several times, and only its last result counts
   * @param delayed - called with the failure of a commit that is tried again, at each such try
   * @returns its result, once it is committed
   * @throws what the work threw, when nothing of it is committed
   */
  write<T>(work: () => T, delayed?: (why: Error) => void): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed(this.#database))
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject, delayed })
      if (this.#failure !== undefined) delayed?.(this.#failure)
      if (this.#callOff !== undefined) return
      const planned = setImmediate(() => {
        this.#commit()
      })
      this.#callOff = () => {
        clearImmediate(planned)
      }
    })
  }

  /** Tries a commit that waits for its next try at once. */
  retry(): void {
    if (this.#failures > 0) this.#commit()
  }

  /** Commits what waits, without further tries. Later writes are refused. */
  close(): void {
    this.#isClosed = true
    this.#commit()
    this.#callOff?.()
    this.#callOff = undefined
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure ?? closed(this.#database))
  }

  #commit(): void {
    this.#callOff?.()
    this.#callOff = undefined
    const writes = this.#waiting
    this.#waiting = []
    if (writes.length === 0) return
    try {
      const results = inTransaction(this.#database, () => writes.map(({ work }) => work()))
      this.#recovered()
      for (const [at, { resolve }] of writes.entries()) resolve(results[at] as never)
    } catch (error) {
      if (passes(error)) this.#tryAgain(writes, error)
      else if (writes.length === 1) writes[0]?.reject(storeError(error, this.#database.file))
      else this.#commitEach(writes)
    }
  }

  /** Commits writes one by one, so that those fail alone that cannot be made. */
  #commitEach(writes: readonly Write[]): void {
    for (const [at, { work, resolve, reject }] of writes.entries()) {
      try {
        const result = inTransaction(this.#database, work)
        this.#recovered()
        resolve(result as never)
      } catch (error) {
        if (passes(error)) {
          this.#tryAgain(writes.slice(at), error)
          return
        }
        reject(storeError(error, this.#database.file))
      }
    }
  }

  #tryAgain(writes: readonly Write[], thrown: unknown): void {
    this.#waiting = [...writes, ...this.#waiting]
    this.#failure = storeError(thrown, this.#database.file)
    if (this.#isClosed) return
    if (this.#failures++ === 0) {
      this.#failingSince = performance.now()
      logger().warn(`links with delivery wait until their store can be written: ${this.#failure.message}`)
    }
    for (const { delayed } of this.#waiting) delayed?.(this.#failure)
    const delay = Math.min(MIN_DELAY * 2 ** (this.#failures - 1), MAX_DELAY, LONGEST_TIMER)
    this.#callOff = this.#later(delay, () => {
      this.#commit()
    })
    this.#options.onTrouble?.({ error: this.#failure, tries: this.#failures, delay })
  }

  #recovered(): void {
    if (this.#failures === 0) return
    const time = lengthText(performance.now() - this.#failingSince)
    logger().warn(`${this.#database.file} can be written again, after ${time}: ${this.#failures} tries had failed`)
    this.#failures = 0
    this.#failure = undefined
    this.#options.onRecovered?.()
  }
}

function logger() {
  return getLogger('databay.Store')
}

function closed({ file }: Database): StoreError {
  return new StoreError(`${file}: the store is closed`)
}

function withTimer(milliseconds: number, call: () => void): () => void {
  const timer = setTimeout(call, milliseconds)
  return () => {
    clearTimeout(timer)
  }
}
