/** Runs the programs of docs/duplicates.md. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { testPage } from './helpers/pages.js'
import { serve } from './helpers/servers.js'
import { Record, type StatefulProcessor } from '../src/index.js'
import { Update } from '../src/core/update.js'

testPage(t, 'docs/duplicates.md', async (t, page) => {
  t.test('each event of a feed is written once', async (t) => {
    const folder = page.folder(t, { 'new-events.ts': (code) => code.replace('{ minutes: 1 }', '0.1') })
    let polls = 0
    const { url } = await serve(t, (_, response) => {
      const first = polls++
      response.end(JSON.stringify({ events: [first + 2, first + 1, first].map((id) => ({ id, name: `event ${id}` })) }))
    })
    const line = 'databay run new-events.js --threads 1 --transfers 4'
    const { code, stderr } = await page.run(folder, line, { EVENTS_URL: url })
    t.equal(code, 0, stderr)
    const [, ...rows] = readFileSync(join(folder, 'events.csv'), 'utf8').trim().split(/\r?\n/)
    t.same(rows.map((row) => Number(row.split(',')[0])).sort(), [0, 1, 2, 3, 4, 5])
  })

  t.test('a processor of your own goes by what was delivered, also when it has moved', async (t) => {
    const { HighMarks } = (await page.load(page.folder(t), 'high-marks.js')) as {
      HighMarks: new () => Required<StatefulProcessor<number>>
    }
    let marks = new HighMarks()
    const see = async (number: number, ...values: number[]) => {
      const records = await marks.process(
        values.map((value) => new Record(value)),
        new Update([], number),
      )
      return records.map(({ payload }) => payload)
    }
    t.same(await see(0, 1, 3, 2), [1, 3, 2])
    await marks.onTransferEnd(new Update([], 0), false, { rounds: 1, deliveredRounds: 0 })
    t.same(await see(1, 3), [3])
    const state = structuredClone(marks.saveState())
    marks = new HighMarks()
    await marks.restoreState(state)
    await marks.onTransferEnd(new Update([], 1), true, { rounds: 1, deliveredRounds: 1 })
    t.same(await see(2, 3, 4), [4])
    t.same([await see(3, 9), await see(3, 5, 3)], [[9], [5]], 'a transfer that streams, list by list')
    await marks.onTransferEnd(new Update([], 3), true, { rounds: 2, deliveredRounds: 2 })
    t.same(await see(4, 9, 10), [10])
  })
})
