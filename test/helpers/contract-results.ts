import { toError } from '../../src/base/errors.js'
import type { TestRunner } from '../../src/testing/index.js'

/** Runs the tests of a contract suite. Gives for each test the message of its failure, or `''` where it passed. */
export async function resultsOf(tester: { run(runner: TestRunner): Promise<void> }): Promise<Map<string, string>> {
  const tests: { readonly name: string; readonly body: () => Promise<void> }[] = []
  await tester.run((name, body) => void tests.push({ name, body }))
  const results = new Map<string, string>()
  for (const { name, body } of tests) {
    let message = ''
    try {
      await body()
    } catch (error) {
      message = toError(error).message
    }
    if (results.has(name)) throw new Error(`two tests are called ${name}`)
    results.set(name, message)
  }
  return results
}

/** Runs the tests of a contract suite. Gives those that failed, with their messages. */
export async function failuresOf(tester: {
  run(runner: TestRunner): Promise<void>
}): Promise<{ [test: string]: string }> {
  return Object.fromEntries([...(await resultsOf(tester))].filter(([, message]) => message !== ''))
}
