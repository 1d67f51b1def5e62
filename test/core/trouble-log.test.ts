import t, { type Test } from 'tap'
import { Cancellation } from '../../src/core/cancellation.js'
import { resolveLink } from '../../src/core/link-options.js'
import { Link } from '../../src/core/link.js'
import type { TransferReport } from '../../src/core/report.js'
import { timedStagesOf } from '../../src/core/transfer/stage-times.js'
import { UnsettledTransfers } from '../../src/core/transfer/unsettled.js'
import { TransferLog } from '../../src/core/transfer/transfer-log.js'
import { transfer } from '../../src/core/transfer/transfer.js'
import { TroubleLog } from '../../src/core/trouble-log.js'
import { Update } from '../../src/core/update.js'
import { captureLogs } from '../helpers/logs.js'
import { FromInlet, KeepOutlet } from '../helpers/nodes.js'

/** A link whose pulls fail while `api.down`, on a clock that is moved by hand. */
function setUp(t: Test) {
  const logs = captureLogs(t)
  const clock = { now: 0 }
  const api = { down: 'connection refused' as string | undefined }
  const pull = () => {
    if (api.down !== undefined) throw new Error(api.down)
    return [1, 2, 3]
  }
  const troubles = new TroubleLog(() => clock.now)
  const { settings } = resolveLink({ interval: 1, ignoreExceptions: true })
  const outlet = new KeepOutlet()
  const nodes = { inlets: [new FromInlet(pull)], outlets: [outlet], processors: [], groupers: [] }
  const parts = {
    ...{
      name: 'a',
      ...nodes,
      stages: timedStagesOf(nodes),
      unsettled: new UnsettledTransfers(),
    },
    ...{ settings, troubles },
  }
  let number = 0
  const transferNow = async (): Promise<TransferReport> => {
    const cancellation = new Cancellation()
    return transfer(parts, new Update(['a'], number++, cancellation), cancellation, {})
  }
  return { logs, clock, api, outlet, parts, troubles, transferNow }
}

t.test('an API that is down writes few lines, and one when it is up again; each report has its error', async (t) => {
  const { logs, clock, api, transferNow } = setUp(t)
  for (; clock.now < 200_000; clock.now += 100) t.equal((await transferNow()).errors.length, 1)
  const message = 'FromInlet failed to pull: connection refused (ignored)'
  t.strictSame(logs.messages(), [
    `a.0 ${message}`,
    `a.600 ${message}; 600 times in 60 s`,
    `a.1800 ${message}; 1,200 times in 2 min`,
  ])
  api.down = undefined
  clock.now += 10_000
  for (let transfer = 0; transfer < 3; transfer++) await transferNow()
  t.strictSame(logs.messages().slice(3), ['a transfers again without errors: it had 2,000 in 3 min'])
})

t.test('another error has its line at once', async (t) => {
  const { logs, api, transferNow } = setUp(t)
  for (const error of ['status 503 after 1 ms', 'status 503 after 2 ms', 'no JSON']) {
    api.down = error
    await transferNow()
  }
  t.match(logs.messages(), [/status 503 after 1 ms/, /no JSON/])
  t.equal(logs.lines.length, 2)
})

t.test('records that are dropped at each transfer are counted, and told in the end', async (t) => {
  const { logs, clock, api, parts, troubles, outlet } = setUp(t)
  api.down = undefined
  outlet.push = () => {
    throw new Error('is full')
  }
  for (let number = 0; number < 100; number++) {
    const cancellation = new Cancellation()
    clock.now += 10
    await transfer(parts, new Update(['a'], number, cancellation), cancellation, {})
  }
  t.match(logs.messages(), [/failed to push: is full/, /dropped 3 records/])
  t.equal(logs.lines.length, 2)
  troubles.end('a')
  t.strictSame(logs.messages().slice(2), [
    'a had 100 errors in 990 ms, when it was shut down',
    'a had dropped 300 records in 990 ms, when it was shut down',
  ])
})

t.test('a link has one such log over all its transfers', async (t) => {
  const logs = captureLogs(t)
  const link = new Link({
    inlets: new FromInlet(() => {
      throw new Error('always')
    }),
    outlets: new KeepOutlet(),
    interval: 1,
    tags: 'a',
  })
  for (let transfer = 0; transfer < 50; transfer++) await link.transfer()
  t.equal(logs.lines.length, 1)
  await link.addOutlets(new KeepOutlet())
  await link.transfer()
  t.equal(logs.lines.length, 1)
  await link.onShutdown()
  t.match(logs.messages()[1], /^a had 51 errors in .*, when it was shut down$/)
})

t.test('tries of a blocked link have no further lines, but for another error', async (t) => {
  const logs = captureLogs(t)
  const clock = { now: 0 }
  const troubles = new TroubleLog(() => clock.now)
  const written: string[] = []
  const attempt = (...kinds: string[]) => {
    const occasion = {}
    for (const kind of kinds) troubles.failed(kind, occasion, (counted) => written.push(`${kind}${counted}`))
    troubles.blocked(true)
    clock.now += 300_000
  }
  attempt('disk full', 'refused on port 4711')
  for (let time = 0; time < 20; time++) attempt('refused on port 4712', 'disk full')
  attempt('no route')
  attempt('no route')
  t.same(written, ['disk full', 'refused on port 4711', 'no route'])
  for (let time = 0; time < 50; time++) attempt(`error ${String.fromCharCode(65 + time)}`)
  t.ok(written.length <= 23, 'errors that are never the same are not all written')
  troubles.blocked(false)
  troubles.well('a')
  t.match(logs.messages(), [/^a transfers again without errors: it had 94 in \d+ min$/])
  attempt('disk full')
  t.equal(written.at(-1), 'disk full')
})

t.test('a transfer of many rounds tells of dead letters and added records in few lines', (t) => {
  const { logs, clock, parts } = setUp(t)
  const log = new TransferLog(parts, new Update(['a'], 0))
  const failure = { node: 'Orders', stage: 'push', message: 'row 1 was refused' } as const
  for (let round = 0; round < 200; round++) {
    log.dead({ ...failure, message: `row ${round} was refused` }, 2)
    log.added(3, 'they came from nowhere')
    clock.now += 100
  }
  clock.now += 60_000
  log.dead(failure, 1)
  const dead = (row: number) => `a.0: 2 records are dead letters, as Orders failed to push: row ${row} was refused`
  t.strictSame(
    logs.messages().filter((line) => line.includes('dead')),
    [
      dead(0),
      dead(1),
      dead(2),
      `a.0: a record is a dead letter, as Orders failed to push: row 1 was refused; 198 times in 80 s`,
    ],
  )
  t.equal(logs.lines.length, 7)
  t.end()
})
