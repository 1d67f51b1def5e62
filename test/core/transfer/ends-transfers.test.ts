/** An outlet that shows nothing before a transfer is over is told of its end, and nothing counts as delivered before that. */
import t from 'tap'
import { Buffer } from '../../../src/core/buffer.js'
import { Link } from '../../../src/core/link.js'
import { Outlet } from '../../../src/core/outlet.js'
import type { Record } from '../../../src/core/record.js'
import type { Update } from '../../../src/core/update.js'
import { down, Lists, setUp } from '../../helpers/durable-links.js'
import { captureLogs } from '../../helpers/logs.js'
import { FromInlet, giving } from '../../helpers/nodes.js'

/** Shows what it took when a transfer is complete. */
class Whole extends Outlet {
  override readonly endsTransfers = true
  readonly shown: unknown[][] = []
  readonly ends: boolean[] = []
  /** Does something else at a push, and at an end. */
  instead: (payloads: readonly unknown[]) => void = () => undefined
  insteadOfEnd: () => void = () => undefined
  #taken: unknown[] = []

  push(records: Record[]) {
    const payloads = records.map(({ payload }) => payload)
    this.instead(payloads)
    this.#taken.push(...payloads)
  }

  override onLastRound(_update: Update, isComplete: boolean): number {
    const taken = this.#taken.splice(0)
    this.ends.push(isComplete)
    this.insteadOfEnd()
    if (!isComplete) return taken.length
    if (taken.length > 0) this.shown.push(taken)
    return 0
  }
}

const alone = <T>(batches: readonly (readonly Record<T>[])[]) => batches.flat().map((record) => [record])

t.test('it is told once, behind all batches of a transfer without rounds', async (t) => {
  const outlet = new Whole()
  const link = new Link({ inlets: giving(1, 2, 3), outlets: outlet, groupers: alone, interval: 1 })
  const report = await link.transfer()
  t.same([outlet.shown, outlet.ends], [[[1, 2, 3]], [true]])
  t.match(report.outlets, [{ pushed: 3, dropped: 0, batches: 3 }])
})

t.test('what it does not keep counts as dropped', async (t) => {
  captureLogs(t, 'silent')
  const outlet = new Whole()
  outlet.insteadOfEnd = down
  const link = new Link({ inlets: giving(1, 2), outlets: outlet, groupers: alone, interval: 1 })
  const report = await link.transfer()
  t.match(report, { failed: true, outlets: [{ pushed: 0, dropped: 2 }], errors: [{ code: 'ECONNREFUSED' }] })
})

t.test('it is told that a transfer is not complete which was told to stop', async (t) => {
  captureLogs(t, 'silent')
  const outlet = new Whole()
  const link = new Link({ inlets: giving(1, 2), outlets: outlet, groupers: alone, interval: 1, timeout: 0.02 })
  outlet.instead = ([first]) => {
    for (const end = performance.now() + 50; first === 1 && performance.now() < end;);
  }
  const report = await link.transfer()
  t.same([outlet.shown, outlet.ends], [[], [false]])
  t.match(report.outlets, [{ pushed: 0, dropped: 2 }])
})

t.test('with delivery, what it does not keep is pulled again', async (t) => {
  const { open } = await setUp(t)
  const outlet = new Whole()
  const link = await open(new Lists([1, 2], [3]), outlet, { groupers: alone })
  outlet.insteadOfEnd = down
  t.match(await link.transfer(), { failed: false, blocked: { node: 'Whole' } })
  outlet.insteadOfEnd = () => undefined
  await link.transfer()
  await link.transfer()
  t.same(outlet.shown, [[1, 2], [3]])
})

t.test('with delivery, a batch that waits has those before it pulled again, and comes with them', async (t) => {
  const { open } = await setUp(t)
  const outlet = new Whole()
  const link = await open(new Lists([1, 2, 3]), outlet, { groupers: alone })
  outlet.instead = ([one]) => (one === 2 ? down() : undefined)
  await link.transfer()
  t.same([outlet.shown, outlet.ends], [[], [false]])
  outlet.instead = () => undefined
  for (let time = 0; time < 3; time++) await link.transfer()
  t.same(outlet.shown, [[1, 2, 3]])
})

t.test(
  'with delivery, batches that had waited are shown before anything is settled, or are pulled again',
  async (t) => {
    const { open } = await setUp(t)
    const outlet = new Whole()
    const link = await open(new Lists([1, 2]), outlet, { groupers: alone })
    outlet.instead = down
    await link.transfer()
    outlet.instead = () => undefined
    outlet.insteadOfEnd = down
    await link.transfer()
    t.same(outlet.shown, [])
    outlet.insteadOfEnd = () => undefined
    for (let time = 0; time < 3; time++) await link.transfer()
    t.same(outlet.shown.flat().toSorted(), [1, 2])
  },
)

t.test('what a buffer lets go of in a round is settled at the end of the transfer', async (t) => {
  captureLogs(t, 'silent')
  const outlet = new Whole()
  const told: boolean[] = []
  class Streaming extends FromInlet<number> {
    override onTransferEnd(_update: Update, delivered: boolean) {
      told.push(delivered)
    }
  }
  let n = 0
  const inlet = new Streaming(function* () {
    yield [n++]
    yield [n++]
  })
  const link = new Link({ inlets: inlet, outlets: outlet, processors: new Buffer({ countThreshold: 3 }), interval: 1 })
  await link.transfer()
  t.same(told, [], 'the buffer holds all of it')
  outlet.insteadOfEnd = down
  await link.transfer()
  t.same([told, outlet.shown], [[false, false], []], 'the first transfer was not delivered, as the second is not kept')
})
