import { join } from 'node:path'
import t from 'tap'
import { captureLogs } from '../helpers/logs.js'
import { linkModule, workerPlanner } from '../helpers/threads.js'

t.test('a worker that is missing, or is another module, is an error of the start', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({
    'none.mjs': 'export const some = 1',
    'other.mjs': 'export default () => 1',
    'throws.mjs': "throw new Error('not made for threads')",
  })
  const bad: [file: string, error: { code: string; message: RegExp }][] = [
    [
      'missing.mjs',
      {
        code: 'DATABAY_INVALID_OPTION',
        message: /^workerUrl: expected .*'databay\/worker', got .*: there is no such file$/,
      },
    ],
    ['none.mjs', { code: 'DATABAY_THREAD_LOST', message: /^thread 1 could not be started: .*none\.mjs/ }],
    [
      'other.mjs',
      { code: 'DATABAY_THREAD_LOST', message: /^thread 1 could not be started: .*'databay\/worker': see workerUrl$/ },
    ],
    ['throws.mjs', { code: 'DATABAY_THREAD_LOST', message: /^thread 1 could not be started: .*not made for threads/ }],
  ]
  for (const [file, error] of bad) {
    const planner = workerPlanner(t, linkModule({ tags: 'a' }), { threads: 1, workerUrl: join(folder, file) })
    await t.rejects(planner.start(), error, file)
  }
})

t.test('what is no module is refused', async (t) => {
  t.throws(() => workerPlanner(t, [], { workerUrl: 'data:text/javascript,1' }), {
    code: 'DATABAY_INVALID_OPTION',
    message: /^workerUrl: expected a path or a file: URL of a bundle of 'databay\/worker', got/,
  })
})
