/** Runs the programs of docs/delivery.md. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryCursor } from '../src/core/cursor.js'
import { Update } from '../src/core/update.js'
import type { Inlet } from '../src/index.js'
import { testPage } from './helpers/pages.js'
import t from 'tap'

testPage(t, 'docs/delivery.md', async (t, page) => {
  t.test('a link goes on behind what it has delivered, by a program or by the command', async (t) => {
    const folder = page.folder(t)
    for (const line of ['node main.js', 'node main.js', 'databay run links.js --once --store ./.databay']) {
      const { code, stderr } = await page.run(folder, line)
      t.equal(code, 0, stderr)
    }
    const ordered = readFileSync(join(folder, 'orders.txt'), 'utf8')
    t.equal(readFileSync(join(folder, 'copied.txt'), 'utf8'), ordered)
  })

  t.test('an outlet that is down is tried again until it is up', async (t) => {
    const { code, stdout, stderr } = await page.run(page.folder(t), 'node outage.js')
    t.equal(code, 0, stderr)
    t.match(
      stdout,
      /^letters is blocked, 1 records wait for Shop: it is down\n1 sold\nletters goes on after \d+ tries\n$/,
    )
  })

  t.test('an inlet of your own reads on from its cursor', async (t) => {
    const { OrdersInlet } = (await page.load(page.folder(t), 'orders-inlet.js')) as {
      OrdersInlet: new (ordersAfter: (id: number) => Promise<unknown[]>) => Inlet<unknown, number>
    }
    const inlet = new OrdersInlet(async (id) => [{ id: id + 1 }])
    const cursor = new MemoryCursor<number>()
    await inlet.pull(new Update([], 0), cursor)
    t.same(await inlet.pull(new Update([], 1), cursor), [{ id: 2 }])
    t.ok(inlet.hasCursor)
  })
})
