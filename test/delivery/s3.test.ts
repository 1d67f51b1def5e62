/** What S3Inlet has delivered is not read again after a restart; after a kill, only what was under way is. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import type { S3InletOptions } from '../../src/connectors/s3/inlet/inlet-options.js'
import { S3Inlet } from '../../src/connectors/s3/s3-inlet.js'
import { Link } from '../../src/core/link.js'
import type { Outlet } from '../../src/core/outlet.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { Kept } from '../helpers/durable-links.js'
import { DurableProgram, isBuilt, judge } from '../helpers/durable-programs.js'
import { fakeS3 } from '../helpers/fake-s3.js'
import { captureLogs } from '../helpers/logs.js'

const skip = !isBuilt && 'the package is not built'

async function transfer(folder: string, inlets: S3Inlet, outlets: Outlet, retry?: object) {
  const settings = { delivery: 'cursor', interval: 3600, immediateTransfer: false, ...(retry && { retry }) } as const
  const link = new Link({ id: 'a', ...settings, inlets, outlets } as never)
  const planner = new SchedulePlanner(link, { store: join(folder, 'store'), ignoreExceptions: true })
  await planner.start()
  await planner.forceTransfer()
  await planner.shutdown()
}

const lines = (from: number, count: number) => Array.from({ length: count }, (_, n) => `${from + n}\n`).join('')
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, n) => String(from + n))

for (const order of ['key', 'modified'] as const) {
  t.test(`the position is kept over restarts, also in the middle of an object: ${order}`, async (t) => {
    captureLogs(t)
    const folder = t.testdir()
    const s3 = await fakeS3(t)
    s3.put('a.txt', lines(0, 100), Date.UTC(2026, 0, 1))
    s3.put('b.txt.gz', gzipSync(lines(100, 10_000)), Date.UTC(2026, 0, 2))
    s3.put('c.txt', lines(10_100, 10_000), Date.UTC(2026, 0, 3))
    const inlet = (options: Partial<S3InletOptions> = {}) => new S3Inlet({ ...s3.options, order, ...options })
    let refused = '5000'
    const outlet = new Kept((payload) => payload === refused)
    await transfer(folder, inlet(), outlet)
    t.ok(outlet.got.length < 5000, 'all before the batch that failed')
    refused = '15000'
    await transfer(folder, inlet(), outlet)
    const before = s3.gets('c.txt').length
    refused = ''
    await transfer(folder, inlet(), outlet)
    t.same(outlet.got, numbers(0, 20_100), 'each once')
    t.match(s3.gets('c.txt')[before], { range: /^bytes=[1-9]/ }, 'only the rest is requested')
    s3.asked.length = 0
    s3.put('d.txt', lines(20_100, 1), Date.UTC(2026, 0, 4))
    await transfer(folder, inlet(), outlet)
    t.equal(outlet.got.length, 20_101)
    t.same(
      s3.gets().map(({ key }) => key),
      ['d.txt'],
    )
    await transfer(folder, inlet({ order: order === 'key' ? 'modified' : 'key' }), outlet)
    t.equal(outlet.got.length, 20_101, 'a position of the other order is refused')
  })
}

t.test('a process that is killed again and again reads all, and twice only what was under way', { skip }, async (t) => {
  const s3 = await fakeS3(t)
  const each = 3000
  const count = 12
  for (let n = 0; n < count; n++) {
    const body = lines(n * each, each)
    s3.put(`k/${String(n).padStart(2, '0')}.txt${n % 2 === 0 ? '.gz' : ''}`, n % 2 === 0 ? gzipSync(body) : body)
  }
  const program = new DurableProgram(
    t.testdir(),
    `const { S3Inlet, Link, FileOutlet } = databay
    export const numbers = new Link({
      delivery: 'cursor', interval: 0.05, rounds: 500,
      inlets: new S3Inlet({ ...${JSON.stringify(s3.options)}, limit: 3 }),
      outlets: new FileOutlet('out.txt'),
    })`,
  )
  const deadline = Date.now() + 60_000
  const written = () => program.lines('out.txt').length
  for (let kill = 1; kill <= 5; kill++) {
    const running = await program.start()
    while (written() < kill * 5500 && Date.now() < deadline) await wait(2)
    await running.kill()
  }
  const last = await program.start()
  const all = () => judge(program.lines('out.txt')).last === each * count - 1
  while (!all() && Date.now() < deadline) await wait(20)
  await last.end()
  const { lost, ahead, double } = judge(program.lines('out.txt'))
  t.same({ lost, ahead }, { lost: 0, ahead: 0 })
  t.ok(double <= 5 * 4096, `${double} lines came twice`)
  t.equal(written(), each * count + double)
})
