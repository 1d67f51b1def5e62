/** Inlets are told whether what they gave was delivered. */
import t from 'tap'
import { Buffer } from '../../../src/core/buffer.js'
import { Cancellation } from '../../../src/core/cancellation.js'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { PartialPushError } from '../../../src/core/partial-push.js'
import { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import type { AnyProcessor } from '../../../src/core/processor.js'
import type { HostedRequest } from '../../../src/core/transfer/hosted-request.js'
import { transfer } from '../../../src/core/transfer/transfer.js'
import { resolveLink } from '../../../src/core/link-options.js'
import type { TransferParts } from '../../../src/core/transfer/parts.js'
import { timedStagesOf } from '../../../src/core/transfer/stage-times.js'
import { UnsettledTransfers } from '../../../src/core/transfer/unsettled.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred, FromInlet, giving, KeepOutlet } from '../../helpers/nodes.js'

/** Keeps what it is told. */
class ToldInlet extends Inlet {
  readonly told: [string, boolean][] = []
  readonly #give: () => unknown
  readonly #listen: () => void | Promise<void>

  constructor(give: () => unknown = () => [1, 2], listen: () => void | Promise<void> = () => {}) {
    super()
    this.#give = give
    this.#listen = listen
  }

  pull() {
    return this.#give()
  }

  override onTransferEnd(update: Update, delivered: boolean): void | Promise<void> {
    this.told.push([String(update), delivered])
    return this.#listen()
  }
}

type Parts = Partial<Omit<TransferParts, 'settings'> & TransferParts['settings']>

type Request = HostedRequest & { readonly cancellation?: Cancellation }

function run(parts: Parts, request: Request = {}) {
  const { cancellation = new Cancellation() } = request
  const {
    copyRecords = true,
    ignoreExceptions = false,
    inletConcurrency = 9,
    unsettled = new UnsettledTransfers(),
  } = parts
  const { inlets = [], outlets = [new KeepOutlet()], processors = [], groupers = [] } = parts
  const settings = { ...resolveLink({ interval: 1 }).settings, copyRecords, ignoreExceptions, inletConcurrency }
  const nodes = { inlets, outlets, processors, groupers }
  return transfer(
    { name: 'a', ...nodes, stages: timedStagesOf(nodes), settings, unsettled },
    new Update(['a'], 0, cancellation),
    cancellation,
    { scheduledAt: 5, ...request },
  )
}

/** What an inlet is told about a transfer. */
async function toldOf(parts: Parts, request?: Request): Promise<boolean | undefined> {
  const inlet = new ToldInlet()
  await run({ ...parts, inlets: [inlet, ...(parts.inlets ?? [])] }, request)
  t.ok(inlet.told.length <= 1, 'once at most')
  return inlet.told[0]?.[1]
}

const fails = (): never => {
  throw new Error('no')
}
const failing = () => new KeepOutlet(fails)
const processor = (work: (records: never[]) => unknown) => work as unknown as AnyProcessor
const grouper = (work: (batches: never[][]) => unknown) => work as unknown as TransferParts['groupers'][number]

t.test('an inlet is told when all outlets have ended', async (t) => {
  const pushed = deferred()
  const inlet = new ToldInlet()
  const running = run({ inlets: [inlet, giving(3)], outlets: [new KeepOutlet(), new KeepOutlet(() => pushed.promise)] })
  await new Promise(setImmediate)
  t.same(inlet.told, [])
  pushed.resolve()
  await running
  t.same(inlet.told, [['a.0', true]])
})

t.test('delivered is what every outlet took, or a processor removed', async (t) => {
  t.equal(await toldOf({}), true)
  t.equal(await toldOf({ outlets: [] }), true)
  t.equal(await toldOf({ processors: [processor(() => [])] }), true)
  t.equal(await toldOf({ processors: [new Buffer({ countThreshold: 2 })] }), true)
})

t.test('not delivered is what was dropped or failed anywhere, also where that is ignored', async (t) => {
  captureLogs(t, 'silent')
  for (const ignoreExceptions of [false, true]) {
    const told = (parts: Parts) => toldOf({ ignoreExceptions, ...parts })
    t.equal(await told({ outlets: [new KeepOutlet(), failing()] }), false)
    const partial = () => {
      throw new PartialPushError('KeepOutlet', 1, [{ index: 1, error: new Error('no') }])
    }
    t.equal(await told({ outlets: [new KeepOutlet(partial)] }), false)
    t.equal(await told({ processors: [processor(fails)] }), false)
    t.equal(await told({ processors: [processor(() => []), processor(fails)] }), false)
    t.equal(await told({ outlets: [new KeepOutlet(undefined, { processors: fails })] }), false)
    t.equal(await told({ groupers: [grouper(fails)] }), false)
    t.equal(await told({ groupers: [grouper((batches) => batches.map((batch) => batch.slice(1)))] }), false)
  }
})

t.test('an inlet that fails is told so, and others as far as it concerns them', async (t) => {
  captureLogs(t, 'silent')
  for (const ignoreExceptions of [false, true]) {
    const [bad, good] = [new ToldInlet(fails), new ToldInlet()]
    await run({ inlets: [bad, good], ignoreExceptions })
    t.same(bad.told, [['a.0', false]])
    t.same(good.told, [['a.0', ignoreExceptions]], 'its records go on only when that is ignored')
    const idle = new ToldInlet(() => [])
    await run({ inlets: [new ToldInlet(fails), idle] })
    t.same(idle.told, [['a.0', true]], 'it gave nothing that could be lost')
  }
})

t.test('an inlet is told of a transfer that is told to stop, also while its pull runs on', async (t) => {
  captureLogs(t, 'silent')
  const never = new Promise<never>(() => {})
  for (const inlet of [
    new ToldInlet(() => never),
    new ToldInlet(
      () => 1,
      () => never,
    ),
  ]) {
    const cancellation = new Cancellation()
    const running = run({ inlets: [inlet], outlets: [new KeepOutlet(() => never)] }, { cancellation })
    await new Promise(setImmediate)
    cancellation.cancel(new TransferCancelledError('stop'))
    t.match(await running, { errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] }, 'one error, not two')
    t.same(inlet.told, [['a.0', false]])
  }
})

t.test('an inlet that was not pulled is told nothing', async (t) => {
  captureLogs(t, 'silent')
  const cancellation = new Cancellation()
  cancellation.cancel(new TransferCancelledError('stop'))
  t.equal(await toldOf({}, { cancellation }), undefined)
  t.equal(await toldOf({}, { drain: true }), undefined)

  const late = new Cancellation()
  const inlet = new ToldInlet()
  const stops = new ToldInlet(() => {
    late.cancel(new TransferCancelledError('stop'))
    return 1
  })
  await run({ inlets: [stops, inlet], inletConcurrency: 1 }, { cancellation: late })
  t.same([stops.told, inlet.told], [[['a.0', false]], []])
})

t.test('the transfer waits for what the inlet does then, and its error is one of the pull', async (t) => {
  const logs = captureLogs(t)
  const listened = deferred()
  const running = run({ inlets: [new ToldInlet(undefined, () => listened.promise)] })
  t.equal(await Promise.race([running, new Promise((resolve) => setImmediate(resolve, 'waits'))]), 'waits')
  listened.reject(new Error('not acknowledged'))
  const report = await running
  t.match(report, { failed: true, errors: [{ node: 'ToldInlet', stage: 'pull', message: 'not acknowledged' }] })
  t.match(report.outlets, [{ pushed: 2 }])
  t.match(logs.messages(), [/^a\.0 ToldInlet failed to pull: not acknowledged$/])
  t.match(await run({ inlets: [new ToldInlet(undefined, fails)] }), { errors: [{ stage: 'pull', message: 'no' }] })
})

t.test('a transfer that is told to stop meanwhile waits no longer', async (t) => {
  captureLogs(t, 'silent')
  const cancellation = new Cancellation()
  const inlet = new ToldInlet(undefined, () => new Promise<never>(() => {}))
  const running = run({ inlets: [inlet] }, { cancellation })
  await new Promise(setImmediate)
  cancellation.cancel(new TransferCancelledError('stop'))
  t.match(await running, { errors: [{ code: 'DATABAY_TRANSFER_CANCELLED', stage: 'pull' }] })
  t.same(inlet.told, [['a.0', true]])
})

t.test('a part is told of one transfer after the other, and no part waits for another', async (t) => {
  captureLogs(t, 'silent')
  const events: string[] = []
  const first = deferred()
  let calls = 0
  const slow = new ToldInlet(undefined, async () => {
    const call = ++calls
    events.push(`${call} begins`)
    if (call === 1) await first.promise
    await Promise.resolve()
    events.push(`${call} ends`)
  })
  const quick = new ToldInlet()
  const link = new Link({
    inlets: [slow, quick],
    outlets: new KeepOutlet(),
    processors: [new Buffer({ countThreshold: 12 })],
    interval: 1,
    maxInstances: 2,
  })
  await link.transfer()
  await link.transfer()
  const running = link.transfer()
  await new Promise(setImmediate)
  t.equal(quick.told.length, 3)
  t.same(events, ['1 begins'])
  await link.transfer()
  const last = link.drain()
  await new Promise(setImmediate)
  first.resolve()
  await Promise.all([running, last])
  t.same(
    events,
    [1, 2, 3, 4].flatMap((call) => [`${call} begins`, `${call} ends`]),
  )
  t.same(
    slow.told.map(([update]) => update),
    ['0', '1', '2', '3'],
  )
})

t.test('transfers at the same time are told apart', async (t) => {
  const pushes = [deferred(), deferred()] as const
  let pushed = 0
  const inlet = new ToldInlet()
  const outlet = new KeepOutlet(() => pushes[pushed++]?.promise)
  const link = new Link({ inlets: [inlet, new FromInlet(() => [])], outlets: outlet, interval: 1, tags: 'a' })
  const running = [link.transfer(), link.transfer()]
  captureLogs(t, 'silent')
  await new Promise(setImmediate)
  pushes[1].reject(new Error('no'))
  await running[1]
  pushes[0].resolve()
  await running[0]
  t.same(inlet.told, [
    ['a.1', false],
    ['a.0', true],
  ])
})
