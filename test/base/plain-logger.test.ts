import t from 'tap'
import { plainLogger } from '../../src/base/plain-logger.js'

function loggerAt(...levels: string[]) {
  const lines: { readonly [key: string]: unknown }[] = []
  const write = (line: string) => lines.push(JSON.parse(line) as (typeof lines)[number])
  return { lines, logger: plainLogger({ name: 'databay.test' }, (level) => levels.includes(level), write) }
}

t.test('a plain logger takes what the other takes', async (t) => {
  const { lines, logger } = loggerAt('warn', 'error')
  logger.warn('%s has %d', 'it', 5)
  logger.error({ err: new TypeError('bad'), records: 3 }, 'failed')
  logger.error(new Error('alone'))
  logger.debug('not logged')
  logger.silent('never')
  t.match(lines, [
    { level: 40, name: 'databay.test', msg: 'it has 5', time: Number },
    { level: 50, msg: 'failed', records: 3, err: { name: 'TypeError', message: 'bad', stack: String } },
    { level: 50, msg: 'alone', err: { message: 'alone' } },
  ])
  t.equal(lines.length, 3)
})

t.test('a plain logger does not throw', async (t) => {
  const { lines, logger } = loggerAt('warn')
  const circular: { self?: unknown } = {}
  circular.self = circular
  logger.warn(circular, 'circular')
  logger.warn('%s', {
    toString: () => {
      throw new Error('no text')
    },
  })
  t.equal(lines.length, 2)
  t.match(lines[0], { msg: /^a line could not be logged: .*circular/ })
})
