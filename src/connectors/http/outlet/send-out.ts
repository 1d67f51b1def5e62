import { toError } from '../../../base/errors.js'
import { failureClass } from '../../../core/failure-class.js'
import { ofRecord } from '../../../core/partial-push.js'
import { HttpError } from '../errors.js'
import { asHttpError } from '../exchange.js'
import { judged, type Again } from './judged.js'
import { isTooLarge, lastError, mayRepeat } from './outcome.js'
import { halves, withTexts, type Outgoing } from './outgoing.js'
import { post } from './post.js'
import { withTries } from '../retry.js'
import { failureOf, type Sending } from './sending.js'
import type { Slot } from './slot.js'

/** What came of a request. */
export interface Sent {
  /** Error for which its records have to wait; `undefined` when all of them were taken or refused. */
  readonly waits?: Error
  /** Requests that are to be sent in its place, as it was too large. */
  readonly parts?: readonly Outgoing[]
}

/** Sends a request, as often as needed, and notes which of its records were not taken. Never rejects. */
export async function sendOut(sending: Sending, first: Outgoing, slot: Slot): Promise<Sent> {
  const { settings, requests, limit, update, warnings } = sending
  let outgoing = first
  let failed = ''
  const late = () => failureOf(sending, 'timeout', `no response within ${settings.timeout} ms${failed}`)
  const tries = {
    retry: settings.retry,
    statuses: settings.retryStatuses,
    mayRepeat: (error: HttpError) => mayRepeat(settings, outgoing, error),
    get signal() {
      return slot.signal
    },
    deadline: performance.now() + settings.timeout,
    onRetry: (reason: HttpError, attempt: number) => {
      failed = `; what failed before: ${reason.message}`
      warnings.warn({}, `${String(update)} sends again after try ${attempt}: ${reason.message}`)
    },
  }
  const once = async () => {
    const again = await attempt(sending, outgoing, slot)
    if (again === undefined) return
    const places = new Set(again.entries.map(({ index }) => index))
    const entries = withTexts(outgoing, settings).filter(({ index }) => places.has(index))
    outgoing = requests.one(outgoing.destination, entries)
    throw again.error
  }
  try {
    await slot.within(late, () =>
      // most requests succeed, and need nothing of what tries them again
      once().catch((failure: unknown) => {
        let isFirst = true
        return withTries(tries, async () => {
          if (!isFirst) return once()
          isFirst = false
          throw toError(failure)
        })
      }),
    )
    limit.taken(outgoing.size)
    return {}
  } catch (thrown) {
    const isDivided = isTooLarge(thrown) && outgoing.entries.length > 1
    return isDivided ? { parts: divided(sending, outgoing) } : note(sending, outgoing, toError(thrown))
  }
}

/** Notes why the records of a request were not taken. */
function note({ settings, update, errors }: Sending, outgoing: Outgoing, thrown: Error): Sent {
  const error =
    thrown instanceof HttpError
      ? lastError(settings, outgoing, thrown)
      : update.signal.aborted
        ? thrown
        : ofRecord(thrown)
  for (const { index } of outgoing.entries) errors.set(index, error)
  return failureClass(error) === 'refused' ? {} : { waits: error }
}

/** The requests in the place of one that is larger than those that were refused since it was made, or it alone. */
export function fitted({ settings, requests, limit, errors }: Sending, outgoing: Outgoing): Outgoing[] {
  const { destination, entries, size } = outgoing
  if (entries.length === 1 || size <= limit.most) return [outgoing]
  return requests.fitting(destination, withTexts(outgoing, settings), errors, limit.most)
}

/** Divides a request that is too large: nothing of it was taken. Later ones are not as large. */
function divided({ settings, requests, limit, errors, update, warnings }: Sending, outgoing: Outgoing): Outgoing[] {
  const { destination } = outgoing
  const entries = withTexts(outgoing, settings)
  const what = `${entries.length} records are too many for one request (status 413)`
  warnings.warn({}, `${String(update)} ${what}, so they are divided: see batchSize and maxRequestSize`)
  const parts = halves(entries).flatMap((half) => requests.fitting(destination, half, errors))
  if (parts.length > 0) limit.refused(Math.max(1, ...parts.map(({ size }) => size)))
  return parts
}

/**
 * Sends a request once.
 *
 * @returns records that were not taken for now, if the response names some
 * @throws {@link HttpError}, or the reason of the signal
 */
async function attempt(sending: Sending, outgoing: Outgoing, slot: Slot): Promise<Again | undefined> {
  const { settings, connection } = sending
  try {
    const response = await post(connection, settings, outgoing, slot)
    // without results the status counts, and the body is gone
    if (settings.results === undefined || response.body === undefined) return undefined
    return await judged(sending, outgoing, settings.results, response, slot.signal)
  } catch (error) {
    slot.signal.throwIfAborted()
    throw asHttpError(settings.url, error, 'HttpOutlet')
  }
}
