/** The suites run under `node:test`, as built, outside of this package's own tests. The planner of threads is in here. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'

const fixture = join(import.meta.dirname, 'fixtures/contract.mjs')

/** What `node --test` prints, and its exit code. */
function nodeTest(flags: string[], ...args: string[]): Promise<{ readonly code: unknown; readonly output: string }> {
  // neither what tap sets, nor what an outer node --test does
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
  return new Promise((resolve) => {
    // which reporter is the default depends on the version of Node
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
