import { setTimeout as delay } from 'node:timers/promises'
import pRetry from 'p-retry'
import type { Duration } from '../base/duration.js'
import { InvalidOptionError } from '../base/errors.js'
import { custom, resolveOptions, timer, type Option, type Spec } from '../base/options.js'

/** How what failed is tried again. The delay doubles from one try to the next; some randomness keeps clients apart. */
export interface RetryOptions {
  /**
   * How often it is tried again after it failed; 0 for never, `Infinity` until the transfer is told to stop.
   * @default 3
   */
  readonly retries?: number
  /**
   * Delay before the first retry, in seconds or as a duration. The actual one is between this and twice as long.
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

/** The option `retry` of a connector, with defaults of its own where ours do not fit. */
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
 * Does work, and tries it again when it fails and that is worth it.
 *
 * @param signal - ends the waiting when it aborts; work that is being done ends by itself
 * @param work - what to do; it is told the number of its try, from 1
 * @param judge - whether an error is worth another try; a number is the least delay before it, in milliseconds. Asked
 * only while there are tries left, so what it logs of a next try is true.
 * @throws the last error, or the reason of the signal
 */
export async function withRetries<T>(
  settings: RetrySettings,
  signal: AbortSignal,
  work: (attempt: number) => Promise<T>,
  judge: (error: Error) => boolean | number,
): Promise<T> {
  const results: T[] = []
  const attempt = async (number: number) => {
    results.push(await work(number))
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
        const verdict = judge(error)
        // the usual delay comes on top
        if (typeof verdict === 'number') await wait(verdict, signal)
        return verdict !== false
      },
    })
  } catch (error) {
    // work that ended well just when the signal aborted is done all the same
    if (results.length === 0) throw error
  }
  return results[0] as T
}

async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal })
  } catch {
    signal.throwIfAborted() // with its reason, not with what the timer makes of it
  }
}
