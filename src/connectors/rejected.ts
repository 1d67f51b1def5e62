import { failureClass } from '../core/failure-class.js'
import { PartialPushError, type RejectedRecord } from '../core/partial-push.js'

/**
 * Makes the error of a push that did not take all records.
 *
 * @param outlet - name of the outlet
 * @param total - number of records
 * @param errors - errors of those that were not taken, by their place
 */
export function partialPush(outlet: string, total: number, errors: ReadonlyMap<number, Error>): PartialPushError {
  const rejected: RejectedRecord[] = [...errors].map(([index, error]) => ({ index, error }))
  rejected.sort((a, b) => a.index - b.index)
  return new PartialPushError(outlet, total - rejected.length, rejected)
}

/** Notes on the error of records that were given up together, unless it says more, that none of them is refused. */
export function ofNoRecord(error: Error): void {
  if (failureClass(error) === 'unknown') Object.assign(error, { retryable: true })
}
