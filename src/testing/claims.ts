import { AssertionError } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'
import { isError, show } from '../base/errors.js'

/** Makes the error with which a check fails: one sentence. */
export function wrong(sentence: string, details: { readonly actual?: unknown; readonly expected?: unknown } = {}) {
  return new AssertionError({ message: sentence, ...details, stackStartFn: wrong })
}

/**
 * Claims that something holds.
 *
 * @throws an `AssertionError` with the sentence unless `holds`
 */
export function claim(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw wrong(sentence)
}

/**
 * Claims that two values are deeply equal.
 *
 * @throws an `AssertionError` with the sentence and both values unless they are
 */
export function claimEqual(actual: unknown, expected: unknown, sentence: string): void {
  if (!isDeepStrictEqual(actual, expected)) throw wrong(sentence, { actual, expected })
}

/** Calls of user code, each within a time limit: a call that hangs fails its check with a sentence. */
export class Calls {
  /** Time that one call may take, in milliseconds. */
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  /** Result of the work. The check fails when the work fails or hangs. */
  async succeed<T>(what: string, work: () => T | PromiseLike<T>): Promise<T> {
    const outcome = await this.outcome(what, work)
    if ('value' in outcome) return outcome.value
    throw wrong(`${what} failed: ${show(outcome.error)}`, { actual: outcome.error })
  }

  /**
   * Result of the work, or the error with which it fails. The check fails when the work hangs, or throws something
   * other than an error.
   */
  async outcome<T>(what: string, work: () => T | PromiseLike<T>): Promise<Outcome<T>> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Late()), this.limit)
    })
    try {
      return { value: await Promise.race([Promise.resolve().then(work), late]) }
    } catch (thrown) {
      if (thrown instanceof Late) throw wrong(`${what} did not end within ${this.limit / 1000} s`)
      claim(isError(thrown), `${what} threw ${show(thrown)}: expected an Error`)
      return { error: thrown }
    } finally {
      clearTimeout(timer)
    }
  }
}

class Late extends Error {}

/** Outcome of a call of user code. */
export type Outcome<T> = { readonly value: T } | { readonly error: Error }
