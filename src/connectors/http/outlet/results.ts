import { isError, toError } from '../../../base/errors.js'
import type { Untyped } from '../../../base/untyped.js'
import { failureClass } from '../../../core/failure-class.js'
import type { Record } from '../../../core/record.js'
import type { ResponseHeaders } from '../response-headers.js'

/** Response that says what became of the records of a request. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: ResponseHeaders
  /** Body: parsed where it is JSON or JSON lines, with integers that a number cannot hold as bigints; otherwise its text. */
  readonly body: Untyped
}

/** What became of a record: taken, refused (`false`, or an error that says why), or not taken for now. */
export type HttpResult = boolean | Error | undefined | null | { readonly retry: true }

/** Function that gives a result for each record, in their order; `undefined` when all were taken. */
export type HttpResults<T = Untyped> = (
  response: HttpAnswer,
  records: readonly Record<T>[],
) => readonly HttpResult[] | undefined | Promise<readonly HttpResult[] | undefined>

/**
 * What became of a record.
 * @internal
 */
export type Verdict = 'taken' | { readonly refused: Error | undefined } | { readonly again: Error | undefined }

/**
 * Asks the option `results` what became of records.
 *
 * @throws {@link Error} when it does not say it
 * @internal
 */
export async function verdictsOf(
  results: HttpResults,
  answer: HttpAnswer,
  records: readonly Record[],
): Promise<Verdict[]> {
  let given: unknown
  try {
    given = await results(answer, records)
  } catch (thrown) {
    throw new Error(`results() failed: ${toError(thrown).message}`, { cause: thrown })
  }
  if (given === undefined || given === null) return records.map(() => 'taken')
  if (!Array.isArray(given)) throw new Error(`results() gave something of type ${typeof given}: expected a list`)
  if (given.length !== records.length) {
    throw new Error(`results() gave ${given.length} results: expected ${records.length}, one for each record`)
  }
  // by its places: a list with holes has no values there
  return Array.from(given as readonly unknown[], verdictOf)
}

function verdictOf(result: unknown, at: number): Verdict {
  if (result === undefined || result === null || result === true) return 'taken'
  if (result === false) return { refused: undefined }
  if (isError(result)) return failureClass(result) === 'unavailable' ? { again: result } : { refused: result }
  if (typeof result === 'object' && 'retry' in result && result.retry === true) return { again: undefined }
  const expected = 'true, false, undefined, an Error, or { retry: true }'
  throw new Error(`results() gave something else for record ${at}: expected ${expected}`)
}
