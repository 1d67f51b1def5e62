import { toError } from '../../src/base/errors.js'
import type { TestRunner } from '../../src/testing/index.js'

/** What each test of a contract suite came to: `''` where it passed, otherwise what its failure says. */
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

/** The tests that failed, with what they say. */
export async function failuresOf(tester: {
  run(runner: TestRunner): Promise<void>
}): Promise<{ [test: string]: string }> {
  return Object.fromEntries([...(await resultsOf(tester))].filter(([, message]) => message !== ''))
}
