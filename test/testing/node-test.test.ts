/**
 * The built suites run under `node:test`, outside of the tests of this package. The planner with threads is tested
 * here.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'

const fixture = join(import.meta.dirname, 'fixtures/contract.mjs')

/** Output and exit code of `node --test`. */
function nodeTest(flags: string[], ...args: string[]): Promise<{ readonly code: unknown; readonly output: string }> {
  // without the settings of tap, and of an outer `node --test`
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
  return new Promise((resolve) => {
    // the default reporter depends on the version of Node
    execFile(process.execPath, [...flags, '--test-reporter=tap', fixture, ...args], { env }, (error, stdout) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout }),
    )
  })
}

t.test('connectors and the planner of threads pass', async (t) => {
  const { code, output } = await nodeTest(['--test'])
  t.equal(code, 0)
  t.match(output, /# tests [4-9]\d\n/)
  t.match(output, /# fail 0\n/)
})

t.test('a broken inlet fails its test with a sentence, and the run with it', async (t) => {
  const { code, output } = await nodeTest([], '--broken')
  t.equal(code, 1)
  t.match(output, /# fail 1\n/)
  t.match(
    output,
    'ForgetfulInlet.pull gave undefined: expected a value, a Record, a list of them, or a promise of those',
  )
})
