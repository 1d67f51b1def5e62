import { setTimeout as delay } from 'node:timers/promises'
import pRetry from 'p-retry'
import type { Duration } from './duration.js'
import { InvalidOptionError, toError } from './errors.js'
import { custom, resolveOptions, timer, type Option, type Spec } from './options.js'

/**
 * Retries of a request or write that failed. The delay doubles from one try to the next; some randomness keeps clients
 * apart.
 */
export interface RetryOptions {
  /**
   * Number of retries; 0 for none, `Infinity` to try until the transfer is cancelled.
   * @default 3
   */
  readonly retries?: number
  /**
   * Delay before the first retry, in seconds or as a duration. The actual delay is between this and twice as long.
   * @default 0.1
   */
  readonly minDelay?: number | Duration
  /**
   * Longest delay, in seconds or as a duration.
   * @default 10
   */
  readonly maxDelay?: number | Duration
}

/** {@link RetryOptions}, resolved. Delays are in milliseconds. */
export interface RetrySettings {
  readonly retries: number
  readonly minDelay: number
  readonly maxDelay: number
}

const DEFAULTS: RetrySettings = { retries: 3, minDelay: 100, maxDelay: 10_000 }

const RETRY_OPTIONS = {
  retries: custom(checkRetries, '3'),
  minDelay: timer(undefined, '0.1'),
  maxDelay: timer(undefined, '10'),
} satisfies Spec<RetryOptions>

/** Row of the option `retry` of a connector, for its table. A connector may have defaults of its own. */
export function retry(defaults?: RetrySettings, shown?: string): Option<RetryOptions, RetrySettings> {
  return { byDefault: shown ?? showDefaults(defaults), read: (name, given) => checkRetry(name, given, defaults) }
}

/**
 * Checks and resolves {@link RetryOptions}.
 *
 * @param option - name of the option, for the error
 * @throws {@link InvalidOptionError}
 */
export function checkRetry(
  option: string,
  given: RetryOptions = {},
  defaults: RetrySettings = DEFAULTS,
): RetrySettings {
  const {
    retries = defaults.retries,
    minDelay = defaults.minDelay,
    maxDelay,
  } = resolveOptions(option, given, RETRY_OPTIONS)
  const longest = maxDelay ?? Math.max(minDelay, defaults.maxDelay)
  if (longest < minDelay) throw new InvalidOptionError(`${option}.maxDelay`, 'at least the minDelay', given.maxDelay)
  return Object.freeze({ retries, minDelay, maxDelay: longest })
}

function checkRetries(name: string, retries: number | undefined): number | undefined {
  if (retries === undefined || retries === Infinity || (Number.isSafeInteger(retries) && retries >= 0)) return retries
  throw new InvalidOptionError(name, 'an integer of at least 0, or Infinity', retries)
}

function showDefaults({ retries, minDelay, maxDelay }: RetrySettings = DEFAULTS): string {
  return `{ retries: ${retries}, minDelay: ${minDelay / 1000}, maxDelay: ${maxDelay / 1000} }`
}

/**
 * Does work, and does it again when it fails for a reason that may pass.
 *
 * @param signal - ends the waiting when it aborts; work that is under way ends by itself
 * @param work - the work, given the number of its try, from 1
 * @param judge - decides whether an error is worth another try; a number is the least delay before it, in milliseconds.
 * It is called only while tries are left, so it can log that another one follows.
 * @throws the last error, or the reason of the signal
 * @internal
 */
export async function withRetries<T>(
  settings: RetrySettings,
  signal: AbortSignal,
  work: (attempt: number) => Promise<T>,
  judge: (error: Error) => boolean | number,
): Promise<T> {
  signal.throwIfAborted()
  // most work succeeds, and needs nothing of what tries it again
  const first = await outcomeOf(() => work(1))
  if ('result' in first) return first.result
  if (settings.retries === 0) throw first.error
  const results: T[] = []
  const attempt = async (number: number) => {
    const outcome = number === 1 ? first : await outcomeOf(() => work(number))
    if ('result' in outcome) results.push(outcome.result)
    else throw new Failure(outcome.error)
  }
  try {
    await pRetry(attempt, {
      retries: settings.retries,
      minTimeout: settings.minDelay,
      maxTimeout: settings.maxDelay,
      randomize: true,
      signal,
      shouldRetry: async ({ error }) => {
        signal.throwIfAborted()
        const verdict = judge(reasonOf(error))
        // the usual delay comes on top of this one
        if (typeof verdict === 'number') await wait(verdict, signal)
        return verdict !== false
      },
    })
  } catch (error) {
    // work that succeeded just when the signal aborted is done all the same
    if (results.length === 0) throw error instanceof Failure ? error.cause : error
  }
  return results[0] as T
}

/** What work failed with, whatever it is: the library that tries again gives up at some classes of errors by itself. */
class Failure extends Error {
  constructor(cause: unknown) {
    super('work failed', { cause })
  }
}

function reasonOf(error: Error): Error {
  return error instanceof Failure ? toError(error.cause) : error
}

/** Result of work, or the error that it failed with. */
async function outcomeOf<T>(work: () => Promise<T>): Promise<{ readonly result: T } | { readonly error: unknown }> {
  try {
    return { result: await work() }
  } catch (error) {
    return { error }
  }
}

async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal })
  } catch {
    signal.throwIfAborted() // with the signal's own reason, not with the timer's error
  }
}
