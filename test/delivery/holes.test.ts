/*
 * Holes that links had without `delivery`, each with the test that it is closed.
 *
 * - A killed process loses what its buffers hold: kill.test.ts, "a file that is read through a buffer".
 * - A refused record blocks its source for ever: here.
 * - Two outlets, one fails once: the healthy one has its records twice: here.
 * - Positions of HttpInlet and MongoInlet live in memory: here, and in mongo.test.ts.
 */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FileInlet } from '../../src/connectors/files/file-inlet.js'
import { HttpInlet } from '../../src/connectors/http/http-inlet.js'
import type { Cursor } from '../../src/core/cursor.js'
import { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import type { Outlet } from '../../src/core/outlet.js'
import { InvalidPayloadError } from '../../src/core/partial-push.js'
import { Outlet as BaseOutlet } from '../../src/core/outlet.js'
import type { Record } from '../../src/core/record.js'
import type { Update } from '../../src/core/update.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { captureLogs } from '../helpers/logs.js'
import { serve } from '../helpers/servers.js'

/** An outlet that keeps what it takes. */
class Kept extends BaseOutlet {
  readonly got: unknown[] = []
  readonly #check: (payloads: readonly unknown[]) => void

  /** @param check - throws for a batch that is not taken */
  constructor(check: (payloads: readonly unknown[]) => void = () => undefined) {
    super()
    this.#check = check
  }

  push(records: readonly Record[]): void {
    const payloads = records.map(({ payload }) => payload)
    this.#check(payloads)
    this.got.push(...payloads)
  }
}

const linesUpTo = (end: number) => Array.from({ length: end }, (_, line) => String(line))

/** Has a planner make some transfers of a link with a store, and gives their reports. */
async function transfers(t: Test, folder: string, inlets: Inlet, outlets: Outlet | readonly Outlet[], times: number) {
  captureLogs(t, 'silent')
  const settings = { id: 'hole', delivery: 'cursor', interval: 3600, immediateTransfer: false } as const
  const link = new Link({ ...settings, inlets, outlets } as never)
  const planner = new SchedulePlanner(link, { store: join(folder, 'store'), ignoreExceptions: true })
  await planner.start()
  const reports = []
  for (let time = 0; time < times; time++) reports.push(...(await planner.forceTransfer()))
  const [stats] = planner.stats().links
  await planner.shutdown()
  return { reports, stats }
}

t.test('a record that an outlet refuses each time does not block its source', async (t) => {
  const folder = t.testdir({ 'in.txt': `${linesUpTo(100).join('\n')}\n` })
  const outlet = new Kept((payloads) => {
    if (payloads.includes('33')) throw new InvalidPayloadError('a line is refused')
  })
  const inlet = new FileInlet(join(folder, 'in.txt'), { linesPerTransfer: 10 })
  const { stats } = await transfers(t, folder, inlet, outlet, 20)
  t.same(
    outlet.got,
    linesUpTo(100).filter((line) => line !== '33'),
  )
  t.match(stats, { dead: 1, outlets: [{ pushed: 99 }] })
  t.equal(stats?.blocked, undefined)
})

t.test('of two outlets one fails once: the other has each record once, and so has it', async (t) => {
  const folder = t.testdir({ 'in.txt': `${linesUpTo(100).join('\n')}\n` })
  const healthy = new Kept()
  let failures = 0
  const failing = new Kept((payloads) => {
    if (payloads.includes('33') && failures++ === 0) throw new Error('it is down')
  })
  const inlet = new FileInlet(join(folder, 'in.txt'), { linesPerTransfer: 10 })
  const { reports } = await transfers(t, folder, inlet, [healthy, failing], 11)
  t.same(healthy.got, linesUpTo(100))
  t.same(failing.got, linesUpTo(100))
  t.equal(failures, 2)
  t.notOk(reports.some(({ failed }) => failed))
})

t.test('while an outlet is down, the other waits with it and has nothing twice; then all comes in order', async (t) => {
  const folder = t.testdir({ 'in.txt': `${linesUpTo(40).join('\n')}\n` })
  const up = new Kept()
  let isDown = true
  const down = new Kept(() => {
    if (isDown) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  })
  const inlet = () => new FileInlet(join(folder, 'in.txt'), { linesPerTransfer: 10 })
  const { reports, stats } = await transfers(t, folder, inlet(), [up, down], 8)
  t.same([up.got, down.got], [linesUpTo(10), []])
  t.match(stats, { blocked: { node: 'Kept', stage: 'push', attempts: 8 }, waiting: 10, transfers: 8 })
  t.equal(
    reports.reduce((sum, { pulled }) => sum + pulled, 0),
    10,
    'nothing more is pulled',
  )
  isDown = false
  up.got.length = 0
  await transfers(t, folder, inlet(), [up, down], 4)
  t.same([up.got, down.got], [linesUpTo(40), linesUpTo(40)], 'after a restart the pull in hand comes to all again')
})

t.test('the position of an HttpInlet survives a restart', async (t) => {
  const folder = t.testdir()
  const asked: unknown[] = []
  const { url } = await serve(t, (request, response) => {
    const tag = request.headers['if-none-match']
    asked.push(tag)
    response.writeHead(tag === '"1"' ? 304 : 200, { etag: '"1"', 'content-type': 'application/json' })
    response.end(tag === '"1"' ? undefined : '[1, 2]')
  })
  const outlet = new Kept()
  for (let life = 0; life < 3; life++) {
    await transfers(t, folder, new HttpInlet(url, { conditional: true }), outlet, 1)
  }
  t.same(outlet.got, [1, 2])
  t.same(asked, [undefined, '"1"', '"1"'])
})

t.test('what blocks a link is told, not the dead letters of the same transfer', async (t) => {
  class Pages extends Inlet<string, number> {
    *pull(_update: Update, cursor: Cursor<number>) {
      for (let page = cursor.value ?? 0; page < 3; page++) {
        cursor.advance(page + 1)
        yield [`bad ${page}`, `good ${page}`]
      }
      throw Object.assign(new Error('page 3 is gone'), { code: 'GONE' })
    }
  }
  const outlet = new Kept((payloads) => {
    const isBad = payloads.some((payload) => String(payload).startsWith('bad'))
    if (isBad) throw new InvalidPayloadError('a page has a bad record')
  })
  const { reports, stats } = await transfers(t, t.testdir(), new Pages(), outlet, 2)
  t.match(reports[0], { blocked: { stage: 'pull', message: 'page 3 is gone', code: 'GONE' } })
  t.match(stats, { dead: 3, blocked: { stage: 'pull', message: 'page 3 is gone' } })
  t.match(stats?.lastError, { stage: 'pull', message: 'page 3 is gone' })
})
