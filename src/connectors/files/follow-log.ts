import { format } from 'node:util'
import type { Logger } from '../../base/log.js'
import { Warnings } from '../../base/warnings.js'

/** Log of a followed file: what its reader says of rotations, losses, and records that come again. */
export class FollowLog {
  readonly #log: Logger
  readonly #warnings: Warnings
  readonly #name: string
  readonly #noun: string
  /** Number of records so far that were not taken as they stand in the file. */
  #damaged = 0
  /** Whether there was a warning since the last pull that has ended well. */
  #warned = false

  /**
   * @param name - name of the inlet, with the path of the file
   * @param noun - name of the records, like `lines`
   */
  constructor(log: Logger, name: string, noun: string) {
    this.#log = log
    this.#warnings = new Warnings(() => log)
    this.#name = name
    this.#noun = noun
  }

  /** Says that the file of a saved position is gone. */
  gone(position: number): void {
    this.#warn(
      {},
      '%s: the file that was read up to byte %d is gone, and whatever else it held: what is there now is read from its start',
      this.#name,
      position,
    )
  }

  /** Says that a file was replaced by one that begins as it did. */
  replaced(position: number): void {
    this.#log.info('%s was replaced by a file with the same beginning: it is read on at byte %d', this.#name, position)
  }

  /** Says that a file was truncated or rewritten after it was read up to a position. */
  rewritten(position: number): void {
    this.#warn(
      {},
      '%s was truncated or written anew after it was read up to byte %d: it is read from its start',
      this.#name,
      position,
    )
  }

  /** Says that the file is opened again, as it cannot be read as it was opened. */
  reopens(err: Error): void {
    this.#warn({ err }, '%s: %s: it is opened again', this.#name, err.message)
  }

  /** Says that the position is kept in the store from now on. */
  leavesPositionFile(): void {
    this.#log.info('%s goes on at the position of its position file: from now on it is kept in the store', this.#name)
  }

  /** Says that records are read again. */
  redelivers(records: number): void {
    this.#warn({ records }, '%s: %d %s were not delivered: they are read again', this.#name, records, this.#noun)
  }

  /** Says that records that were to be read again are lost. */
  cannotRedeliver(): void {
    this.#warn({}, '%s: what was not delivered was truncated or written anew before it could be read again', this.#name)
  }

  /**
   * Says that the next file is read.
   *
   * @param missed - path of a file between the two that cannot be read
   */
  movesOn(missed: string | undefined): void {
    this.#log.info('%s: another file has its name now', this.#name)
    if (missed === undefined) return
    this.#warn({}, '%s: content may have been passed over: %s was compressed before it was read', this.#name, missed)
  }

  /** Says that the last record of a file is not read, as it has no end yet. */
  waits(bytes: number): void {
    this.#warn(
      { bytes },
      '%s: %d bytes at the end of the file were not read: the last of the %s has no line end. The option follow: false reads it',
      this.#name,
      bytes,
      this.#noun,
    )
  }

  /** Says that the last record of a file has no end. */
  unended(): void {
    this.#warn({}, '%s: the last of the %s of a file has no end', this.#name, this.#noun)
  }

  /**
   * Says that records were not taken as they stand in the file.
   *
   * @param total - number of such records so far
   * @param reason - problem of the first of them
   */
  damaged(damaged: number, total: number, reason: string | undefined): void {
    this.#damaged = total
    this.#warn({ damaged, total }, '%s: %d %s not taken as they are: %s', this.#name, damaged, this.#noun, reason)
  }

  /** Takes note that a pull has ended well. */
  pulled(): void {
    if (!this.#warned) this.#warnings.well(this.#subject)
    this.#warned = false
  }

  /** Takes note that the file is closed. */
  end(): void {
    this.#warnings.end(this.#subject)
  }

  get #subject(): string {
    if (this.#damaged === 0) return this.#name
    return `${this.#name} (${this.#damaged} ${this.#noun} not taken as they are so far)`
  }

  #warn(fields: object, text: string, ...values: unknown[]): void {
    this.#warned = true
    this.#warnings.warn(fields, format(text, ...values))
  }
}
