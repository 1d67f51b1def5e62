/**
 * How far an inlet has come in its source: an id, a time, an offset. An inlet that reads on from it, and advances it, says
 * what it has read; with `delivery: 'cursor'` that is kept on the disk once all outlets have it.
 *
 * @typeParam C - type of the value: JSON of at most 64 KiB
 */
export interface Cursor<C = unknown> {
  /**
   * Value that the inlet has advanced to last, `undefined` before the first time. After a transfer that was not delivered,
   * it is the value from which on records are pulled again. Without `delivery`, it begins with the instance, and no failed
   * transfer takes it back.
   */
  readonly value: C | undefined
  /** Whether the value is kept on the disk, as the link has `delivery: 'cursor'`. */
  readonly durable: boolean
  /**
   * Says that all up to a value was read, and is in the list that the pull returns, or in the list that it yields next.
   *
   * @throws {@link InvalidOptionError} when a durable value is no JSON, or is longer than 64 KiB
   */
  advance(value: C): void
}

/** A cursor that is kept in memory alone, as long as its inlet lives. */
export class MemoryCursor<C> implements Cursor<C> {
  readonly durable = false
  value: C | undefined

  advance(value: C): void {
    this.value = value
  }
}
