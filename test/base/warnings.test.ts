import t from 'tap'
import { getLogger } from '../../src/base/log.js'
import { Warnings } from '../../src/base/warnings.js'
import { HttpInlet } from '../../src/connectors/http/http-inlet.js'
import { CsvInlet } from '../../src/connectors/csv/csv-inlet.js'
import { Update } from '../../src/core/update.js'
import { captureLogs } from '../helpers/logs.js'
import { appendFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

t.test('a warning that comes again is counted, and told in the end', async (t) => {
  const log = captureLogs(t)
  const warnings = new Warnings(() => getLogger('databay.test'))
  for (let time = 0; time < 100; time++) warnings.warn({ records: time }, `%s 5 records of ${time} were lost`)
  warnings.warn({}, 'another one')
  warnings.well('it')
  t.match(log.entries(), [
    ...[0, 1, 2].map((time) => ({ msg: `%s 5 records of ${time} were lost`, records: time })),
    { msg: 'another one' },
  ])
  t.equal(log.lines.length, 4)
  warnings.end('it')
  t.match(log.messages()[4], /^it: there were 101 warnings in .* when it was shut down$/)
})

t.test('what stays as it is is told once, however long that is, and counted in the end', async (t) => {
  const log = captureLogs(t)
  const warnings = new Warnings(() => getLogger('databay.test'))
  for (let time = 0; time < 2000; time++) warnings.once(`field ${time % 2}`, 500, 'records')
  t.match(log.entries(), [
    { msg: 'field 0', records: 500 },
    { msg: 'field 1', records: 500 },
  ])
  warnings.well('it')
  warnings.once('another field', 1, 'records')
  t.equal(log.lines.length, 3)
  warnings.end('it')
  t.strictSame(log.messages().slice(3), ['field 0: 500,000 records in all', 'field 1: 500,000 records in all'])
  for (let field = 0; field < 1000; field++) warnings.once(`name${'x'.repeat(field)}`, 1, 'records')
  t.ok(log.lines.length < 5 + 100 + 100, 'names without end are not kept')
})

t.test('retries of a server that is down have few lines, those of one pull are all written', async (t) => {
  const log = captureLogs(t)
  const retry = { retries: 2, minDelay: { milliseconds: 1 } }
  const inlet = new HttpInlet('http://127.0.0.1:9', { retry })
  await inlet.onStart()
  for (let pull = 0; pull < 20; pull++) await t.rejects(inlet.pull(new Update(['a'], pull)))
  const lines = [0, 1, 2].flatMap((pull) => [1, 2].map((attempt) => `a.${pull} trying again after try ${attempt}: `))
  t.match(log.messages(), lines)
  t.equal(log.lines.length, 6)
  await inlet.onShutdown()
  t.match(log.messages()[6], /there were 40 warnings in/)
})

t.test('bad rows in each pull have few lines, and are counted in the end', async (t) => {
  const log = captureLogs(t)
  const file = path.join(t.testdir(), 'rows.csv')
  writeFileSync(file, 'a,b\n')
  const inlet = new CsvInlet(file, { badRows: 'skip' })
  await inlet.onStart()
  for (let pull = 0; pull < 20; pull++) {
    appendFileSync(file, '1,2\n1,2,3\n')
    await inlet.pull(new Update(['a'], pull))
  }
  t.match(
    log.entries(),
    [1, 2, 3].map((total) => ({ damaged: 1, total })),
  )
  t.equal(log.lines.length, 3)
  await inlet.onShutdown()
  t.match(log.messages()[3], /\(20 rows not taken as they are so far\): there were 20 warnings in/)
})
