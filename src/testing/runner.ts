import { toError } from '../base/errors.js'

/** Function that registers one test: `test` of `node:test`, or any other that takes a name and a function. */
export type TestFunction = (name: string, body: () => Promise<void>) => unknown

/** Runner of the tests of a suite: the `test` of `node:test`, the `t` of tap, or a function like these. */
export type TestRunner = TestFunction | { readonly test: TestFunction }

/** Test of a suite: a sentence, and a function that throws unless it holds. */
export interface Check<B> {
  readonly name: string
  readonly holds: (harness: B) => Promise<void>
}

/** Harness of one test: it is made before the test, and closed after it. */
export interface Harness {
  open(): Promise<void>
  /** Undoes everything. Never rejects with an error that the check itself has thrown. */
  close(): Promise<void>
}

/**
 * Registers the checks as tests, at once. Resolves when all have ended; a runner that returns no promises is not waited
 * for.
 *
 * @param prefix - start of the names of the tests; may be empty
 */
export async function runChecks<B extends Harness>(
  runner: TestRunner,
  prefix: string,
  checks: readonly Check<B>[],
  makeHarness: () => B,
): Promise<void> {
  // called on its object, as some runners need their `this`
  const test: TestFunction = typeof runner === 'function' ? runner : (name, body) => runner.test(name, body)
  const ends = checks.map(({ name, holds }) => test(prefix + name, () => runCheck(makeHarness(), holds)))
  await Promise.allSettled(ends)
}

async function runCheck<B extends Harness>(harness: B, holds: (harness: B) => Promise<void>): Promise<void> {
  const problems: unknown[] = []
  for (const step of [() => harness.open(), () => holds(harness)]) {
    try {
      if (problems.length === 0) await step()
    } catch (error) {
      problems.push(error)
    }
  }
  try {
    await harness.close()
  } catch (error) {
    problems.push(error)
  }
  // the first problem is the cause of the others
  if (problems.length > 0) throw toError(problems[0])
}
