import t, { type Test } from 'tap'
import { logTo, type LogLook } from '../../src/cli/log-output.js'
import { getLogger, writeLogLine } from '../../src/base/log.js'
import { FakeStream } from '../helpers/command.js'

function logged(t: Test, look: LogLook, write: () => void): string {
  const stream = new FakeStream()
  const unlog = logTo(stream, look)
  t.teardown(unlog)
  write()
  unlog()
  return stream.text
}

const error = new Error('the source is gone', { cause: new Error('connection refused') })
const fail = (message: string) => () => {
  getLogger('databay.test').error({ err: error }, message)
}

t.test('lines are readable, and tell causes rather than stacks', async (t) => {
  const look = { json: false, stacks: false }
  const lines = {
    'pull failed: the source is gone': 'pull failed: the source is gone: connection refused',
    'the source is gone (ignored)': 'the source is gone: connection refused (ignored)',
    'a.0 the source is gone: connection refused': 'a.0 the source is gone: connection refused',
    'pull failed': 'pull failed: the source is gone: connection refused',
  }
  for (const [message, expected] of Object.entries(lines)) {
    const text = logged(t, look, fail(message))
    t.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\|E\| .* \(databay\.test\)\n$/)
    t.equal(text.slice('2020-07-30 19:51:41.318|E| '.length), `${expected} (databay.test)\n`)
  }
  t.match(
    logged(t, look, () => {
      getLogger('databay.test').warn('no error')
    }),
    /\|W\| no error \(databay\.test\)\n$/,
  )
})

t.test('what an error says of its cause is not said again', async (t) => {
  const lost = new Error('thread 1 was lost: it exited: code 3', { cause: new Error('it exited: code 3') })
  const write = () => {
    getLogger('databay.test').error({ err: lost }, 'a.0 failed: thread 1 was lost: it exited: code 3')
  }
  t.match(logged(t, { json: false, stacks: false }, write), / a\.0 failed: thread 1 was lost: it exited: code 3 \(/)
})

t.test('what an error says of its cause in the middle is not said again', async (t) => {
  const refused = new Error('3 of 3 records were not taken: no such column (records 0, 1, 2)', {
    cause: new Error('no such column'),
  })
  const write = () => {
    getLogger('databay.test').error({ err: refused }, 'a.0 push failed')
  }
  t.match(
    logged(t, { json: false, stacks: false }, write),
    /push failed: 3 of 3 records were not taken: no such column \(records 0, 1, 2\) \(databay\.test\)\n$/,
  )
})

t.test('the place of a mistake is told', async (t) => {
  const mistake = new TypeError('x of undefined')
  mistake.stack = 'TypeError: x of undefined\n    at score (file:///links.js:2:15)'
  const write = () => {
    getLogger('databay.test').error({ err: mistake }, 'failed to process: x of undefined')
  }
  const text = logged(t, { json: false, stacks: false }, write)
  t.match(text, / failed to process: x of undefined \(file:\/\/\/links\.js:2:15\) \(databay\.test\)\n$/)
})

t.test('stacks are shown when asked for', async (t) => {
  t.match(
    logged(t, { json: false, stacks: true }, fail('failed')),
    /\|E\| failed .*\n {2}Error: the source is gone\n {4}at /,
  )
})

t.test('lines can be left as JSON', async (t) => {
  const text = logged(t, { json: true, stacks: false }, fail('failed'))
  t.match(JSON.parse(text), { level: 50, name: 'databay.test', msg: 'failed', err: { stack: String } })
})

t.test('what no logger wrote is left as it is', async (t) => {
  const look = { json: false, stacks: false }
  t.equal(
    logged(t, look, () => {
      writeLogLine('no JSON\n')
    }),
    'no JSON\n',
  )
})
