import { toError } from '../base/errors.js'

/** Registers one test: `test` of `node:test`, and whatever else takes a name and a function. */
export type TestFunction = (name: string, body: () => Promise<void>) => unknown

/** What runs the tests of a suite: the `test` of `node:test`, tap's `t`, or a function like these. */
export type TestRunner = TestFunction | { readonly test: TestFunction }

/** One test of a suite: a sentence, and what shows that it holds. It throws when it does not. */
export interface Check<B> {
  readonly name: string
  readonly holds: (harness: B) => Promise<void>
}

/** What one test of a suite works with: made before it, closed after it. */
export interface Harness {
  open(): Promise<void>
  /** Undoes everything. Never rejects for what the check itself has told already. */
  close(): Promise<void>
}

/**
 * Registers the checks as tests, at once. Resolves when all have ended; a runner that gives no promises is not waited
 * for.
 *
 * @param prefix - what the tests' names start with; `''` for nothing
 */
export async function runChecks<B extends Harness>(
  runner: TestRunner,
  prefix: string,
  checks: readonly Check<B>[],
  makeHarness: () => B,
): Promise<void> {
  // called on its object, as some are methods
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
  // what came first is what is wrong
  if (problems.length > 0) throw toError(problems[0])
}
