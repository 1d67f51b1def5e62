import type { Buffer } from 'node:buffer'
import type { BigIntStats } from 'node:fs'
import type { FileMark } from './file-mark.js'

/** Number of bytes behind a mark that a window has at first. */
export const WINDOW = 32_768

/** Age of the last change of a file, in nanoseconds, from which on a further one is sure to have another time. */
const SETTLED = 50_000_000n

/** The same where the file system keeps times in milliseconds or seconds. */
const SETTLED_COARSELY = 3_000_000_000n

/** Time within which the next pull has to come for a window to be worth it, in milliseconds. */
const SOON = 500

/** Bytes of a file that were read before they were needed. They are used as long as nobody has written to the file since. */
export class ReadWindow {
  readonly #stats: BigIntStats
  readonly #start: number
  readonly #bytes: Buffer

  /**
   * @param stats - facts about the file, found out before the bytes were read, and {@link isSettled}
   * @param start - place of the first byte
   */
  constructor(stats: BigIntStats, start: number, bytes: Buffer) {
    this.#stats = stats
    this.#start = start
    this.#bytes = bytes
  }

  /**
   * Bytes before a mark that prove it, and those behind it.
   *
   * @param now - facts about the file
   * @returns `undefined` when the file has changed, or the window has not as many bytes behind the mark, nor the end of the
   * file
   */
  around({ position, tail }: FileMark, ahead: number, now: BigIntStats): Buffer | undefined {
    const { size, mtimeNs, ctimeNs } = this.#stats
    if (now.size !== size || now.mtimeNs !== mtimeNs || now.ctimeNs !== ctimeNs) return undefined
    const start = position - tail.length - this.#start
    const end = start + tail.length + ahead
    if (start < 0 || (end > this.#bytes.length && this.#start + this.#bytes.length < Number(size))) return undefined
    const bytes = this.#bytes.subarray(start, end)
    return bytes.subarray(0, tail.length).equals(tail) ? bytes : undefined
  }
}

/** Whether the next change of a file will show in its times: they are not finer than the clock of the system. */
export function isSettled({ mtimeNs, ctimeNs }: BigIntStats): boolean {
  const last = mtimeNs > ctimeNs ? mtimeNs : ctimeNs
  const isCoarse = mtimeNs % 1_000_000n === 0n || ctimeNs % 1_000_000n === 0n
  return BigInt(Date.now()) * 1_000_000n - last > (isCoarse ? SETTLED_COARSELY : SETTLED)
}

/** Times of pulls, which tell whether a window is worth it: a thread may have an inlet for each of thousands of files. */
export class PullTimes {
  #last = -Infinity
  #notBefore = -Infinity

  /** Takes note of a pull. Tells whether the one before was a moment ago, and a window is not known to be of no use. */
  follow(): boolean {
    const now = performance.now()
    const isSoon = now - this.#last < SOON
    this.#last = now
    return isSoon && now >= this.#notBefore
  }

  /** Takes note that the file was written to just now, as it may be all the time. */
  isWritten(): void {
    this.#notBefore = this.#last + Number(SETTLED) / 1e6
  }
}
