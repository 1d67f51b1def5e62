import type { Dispatcher } from 'undici'
import { toError } from '../../../base/errors.js'
import { unlessAborted } from '../../running-work.js'
import { readBody } from '../body.js'
import { bodyText } from '../body-text.js'
import { BodyError, type HttpError } from '../errors.js'
import { parseText, type HttpFormat } from '../format.js'
import type { Entry, Outgoing } from './outgoing.js'
import { verdictsOf, type HttpAnswer, type HttpResults, type Verdict } from './results.js'
import { failureOf, type Sending } from './sending.js'

/** Records that were not taken for now, as a response says. */
export interface Again {
  readonly entries: readonly Entry[]
  readonly error: HttpError
}

/** Asks `results` what became of the records of a request. Notes those that were refused, and gives those to send again. */
export async function judged(
  sending: Sending,
  { entries }: Outgoing,
  results: HttpResults,
  response: Dispatcher.ResponseData,
  signal: AbortSignal,
): Promise<Again | undefined> {
  const { statusCode: status } = response
  const answer = await answerOf(sending, response)
  const records = entries.map(({ record }) => record)
  let verdicts: readonly Verdict[] = []
  try {
    verdicts = await unlessAborted(signal, verdictsOf(results, answer, records))
  } catch (cause) {
    signal.throwIfAborted()
    const what = `the response has the status ${status}, but ${toError(cause).message}`
    throw failureOf(sending, 'results', what, { cause, status })
  }
  const again: Entry[] = []
  let reason: Error | undefined
  for (const [at, entry] of entries.entries()) {
    const verdict = verdicts[at] ?? 'taken'
    if (verdict === 'taken') continue
    if ('again' in verdict) {
      again.push(entry)
      reason ??= verdict.again
      continue
    }
    const what = `the response refuses the record${verdict.refused === undefined ? '' : `: ${verdict.refused.message}`}`
    const options = { cause: verdict.refused, status, retryable: false }
    sending.errors.set(entry.index, failureOf(sending, 'results', what, options))
  }
  if (again.length === 0) return undefined
  const why = reason === undefined ? '' : `: ${reason.message}`
  const what = `the response does not take ${again.length} of ${entries.length} records for now${why}`
  return { entries: again, error: failureOf(sending, 'results', what, { cause: reason, status, retryable: true }) }
}

/** Reads a response whole. */
async function answerOf(sending: Sending, response: Dispatcher.ResponseData): Promise<HttpAnswer> {
  const { body, statusCode: status, headers } = response
  try {
    const options = { limit: sending.settings.maxBodySize, whole: 'the response' }
    const { bytes } = await readBody(body, headers['content-encoding'], options)
    const type = [headers['content-type'] ?? ''].flat().join()
    const { text } = bodyText(bytes, headers['content-type'])
    const format = /[/+](?:ndjson|jsonl|json-lines|x-ndjson)\b/i.test(type)
      ? 'ndjson'
      : /[/+]json\b/i.test(type)
        ? 'json'
        : 'text'
    return { status, headers, body: text === '' ? undefined : parsed(format, text) }
  } catch (cause) {
    body.on('error', () => undefined).destroy()
    if (cause instanceof BodyError) throw failureOf(sending, 'body', cause.message, { cause, status })
    throw cause
  }
}

/** Parses the body of a response. The error does not show it, as it may repeat what was sent. */
function parsed(format: HttpFormat, text: string): unknown {
  try {
    return parseText(format, text, 'bigint')
  } catch {
    throw new BodyError('the response does not contain valid JSON, as its content-type says')
  }
}
