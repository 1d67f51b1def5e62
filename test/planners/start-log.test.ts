import t from 'tap'
import { StartLog } from '../../src/planners/start-log.js'
import { captureLogs } from '../helpers/logs.js'
import { StubLink } from '../helpers/planners.js'

const failure = (attempts: number, message = 'refused') => ({
  attempts,
  error: new Error(message),
  retryAt: Date.now() + 10_000,
})

t.test('a link that is tried again and again has few lines, and the count of all at the end', (t) => {
  const logs = captureLogs(t)
  let now = 0
  const log = new StartLog(() => now)
  const link = new StubLink('a')
  for (let attempts = 1; attempts <= 40; attempts++) {
    log.failed(link, failure(attempts))
    log.failedLate(link, new Error('no connection'))
    now += 30_000
  }
  t.ok(logs.messages().length < 15, `${logs.messages().length} lines`)
  t.match(logs.messages().slice(0, 2), [
    /^a could not be started, try 1: refused; it is tried again in \d+\.\d s$/,
    'the late start of a failed: no connection',
  ])
  log.end(link)
  t.equal(logs.messages().at(-1), 'a could not be started: 80 failures in 20 min')
  const before = logs.messages().length
  log.end(link)
  t.equal(logs.messages().length, before)
  log.failed(link, failure(1))
  t.equal(logs.messages().length, before + 1, 'it begins again')
  t.end()
})
