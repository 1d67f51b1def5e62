import { AssertionError } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'
import { isError, show } from '../base/errors.js'

/** Fails a check with one sentence. */
export function wrong(sentence: string, details: { readonly actual?: unknown; readonly expected?: unknown } = {}) {
  return new AssertionError({ message: sentence, ...details, stackStartFn: wrong })
}

/** @throws an `AssertionError` with the sentence unless `holds` */
export function claim(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw wrong(sentence)
}

/** @throws an `AssertionError` with the sentence, and both values, unless they are equal in depth */
export function claimEqual(actual: unknown, expected: unknown, sentence: string): void {
  if (!isDeepStrictEqual(actual, expected)) throw wrong(sentence, { actual, expected })
}

/** Calls of user code, each with an end in sight: one that hangs fails its check with a sentence. */
export class Calls {
  /** Milliseconds that one call may take. */
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  /** What the work gives. When it is refused or hangs, the check fails. */
  async succeed<T>(what: string, work: () => T | PromiseLike<T>): Promise<T> {
    const outcome = await this.outcome(what, work)
    if ('value' in outcome) return outcome.value
    throw wrong(`${what} failed: ${show(outcome.error)}`, { actual: outcome.error })
  }

  /** What the work gives, or the error that it is refused with. When it hangs, or throws no error, the check fails. */
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

export type Outcome<T> = { readonly value: T } | { readonly error: Error }
