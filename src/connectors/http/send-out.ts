import { toError } from '../../base/errors.js'
import { failureClass } from '../../core/failure-class.js'
import { ofRecord } from '../../core/partial-push.js'
import { HttpError } from './errors.js'
import { asHttpError, dump } from './exchange.js'
import { judged, type Again } from './judged.js'
import { isTooLarge, lastError, mayRepeat } from './outcome.js'
import { halves, type Outgoing } from './outgoing.js'
import { post } from './post.js'
import { withTries } from './retry.js'
import type { RunningPull } from './running-pulls.js'
import { failureOf, type Sending } from './sending.js'

/** What came of a request. */
export interface Sent {
  /** Error for which its records have to wait; `undefined` when all of them were taken or refused. */
  readonly waits?: Error
  /** Requests that are to be sent in its place, as it was too large. */
  readonly parts?: readonly Outgoing[]
}

/** Sends a request, as often as needed, and notes which of its records were not taken. Never rejects. */
export async function sendOut(sending: Sending, first: Outgoing): Promise<Sent> {
  const { settings, requests, update, warnings } = sending
  let outgoing = first
  let failed = ''
  const late = () => failureOf(sending, 'timeout', `no response within ${settings.timeout} ms${failed}`)
  const running = sending.running.begin(update.signal, settings.timeout, late)
  const tries = {
    retry: settings.retry,
    statuses: settings.retryStatuses,
    mayRepeat: (error: HttpError) => mayRepeat(settings, outgoing, error),
    signal: running.signal,
    deadline: performance.now() + settings.timeout,
    onRetry: (reason: HttpError, attempt: number) => {
      failed = `; what failed before: ${reason.message}`
      warnings.warn({}, `${String(update)} sends again after try ${attempt}: ${reason.message}`, update)
    },
  }
  try {
    await running.within(() =>
      withTries(tries, async () => {
        const again = await attempt(sending, outgoing, running)
        if (again === undefined) return
        outgoing = requests.one(outgoing.destination, again.entries)
        throw again.error
      }),
    )
    return {}
  } catch (thrown) {
    const isDivided = isTooLarge(thrown) && outgoing.entries.length > 1
    return isDivided ? { parts: divided(sending, outgoing) } : note(sending, outgoing, toError(thrown))
  } finally {
    running.end()
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

/** Divides a request that is too large: nothing of it was taken. */
function divided({ requests, errors, update, warnings }: Sending, { destination, entries }: Outgoing): Outgoing[] {
  const what = `${entries.length} records are too many for one request (status 413)`
  warnings.warn({}, `${String(update)} ${what}, so they are divided: see batchSize and maxRequestSize`, update)
  return halves(entries).flatMap((half) => requests.fitting(destination, half, errors))
}

/**
 * Sends a request once.
 *
 * @returns records that were not taken for now, if the response names some
 * @throws {@link HttpError}, or the reason of the signal
 */
async function attempt(sending: Sending, outgoing: Outgoing, running: RunningPull): Promise<Again | undefined> {
  const { settings, connection } = sending
  const { signal } = running
  try {
    const response = await post(connection, settings, outgoing, signal)
    if (settings.results !== undefined) return await judged(sending, outgoing, settings.results, response, running)
    // the status counts, whatever becomes of the body
    await dump(response, settings.maxBodySize)
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    throw asHttpError(settings.url, error, 'HttpOutlet')
  }
}
