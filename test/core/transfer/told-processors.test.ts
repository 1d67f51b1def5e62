/** Processors with a memory are told what came of the transfers in which they were called. */
import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { Buffer } from '../../../src/core/buffer.js'
import { Distinct } from '../../../src/core/distinct.js'
import { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import type { TransferSettings } from '../../../src/core/link-options.js'
import type { Outlet } from '../../../src/core/outlet.js'
import type { Processor, StatefulProcessor } from '../../../src/core/processor.js'
import type { Record } from '../../../src/core/record.js'
import type { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred, giving, KeepOutlet } from '../../helpers/nodes.js'

/** Lets all pass, and keeps what it is told. */
class Listener implements StatefulProcessor {
  readonly seen: Update[] = []
  readonly told: [Update, boolean][] = []
  readonly #listen: () => void | Promise<void>

  constructor(listen: () => void | Promise<void> = () => undefined) {
    this.#listen = listen
  }

  process<U>(records: Record<U>[], update: Update): Record<U>[] {
    this.seen.push(update)
    return records
  }

  onTransferEnd(update: Update, delivered: boolean): void | Promise<void> {
    this.told.push([update, delivered])
    return this.#listen()
  }

  /** What it was told since it was asked last. */
  get news(): string[] {
    return this.told
      .splice(0)
      .map(([{ transferNumber }, delivered]) => `${transferNumber}${delivered ? '' : ' failed'}`)
  }
}

/** Outlet that refuses records while it is told to. */
class PickyOutlet extends KeepOutlet {
  refuse = false

  override push(records: Record[], update: Update): void {
    if (this.refuse) throw new Error('refused')
    void super.push(records, update)
  }
}

function linkOf(
  inlets: Inlet,
  outlets: Outlet | Outlet[],
  processors: Processor[] = [],
  options: TransferSettings = {},
) {
  return new Link({ inlets, outlets, processors, interval: 1, tags: 'a', ...options })
}

t.test('processors of a link and of an outlet are told when all outlets have ended, once a transfer', async (t) => {
  const pushed = deferred()
  const [ofLink, ofOutlet] = [new Listener(), new Listener()]
  const outlets = [new KeepOutlet(() => pushed.promise), new KeepOutlet(undefined, { processors: [ofOutlet] })]
  const link = new Link({
    inlets: giving(1, 2),
    outlets,
    processors: [ofLink],
    groupers: (batches) => batches.flat().map((record) => [record]),
    interval: 1,
  })
  const running = link.transfer()
  await new Promise(setImmediate)
  t.equal(ofOutlet.seen.length, 2, 'a call for each batch')
  t.same([...ofLink.told, ...ofOutlet.told], [])
  pushed.resolve()
  await running
  for (const { told, seen } of [ofLink, ofOutlet]) {
    t.equal(told.length, 1)
    t.equal(told[0]?.[0], seen[0], 'with the update that it was called with')
    t.equal(told[0]?.[1], true)
  }
})

t.test('what failed was not delivered, also where that is ignored; who was not called is not told', async (t) => {
  captureLogs(t, 'silent')
  for (const ignoreExceptions of [false, true]) {
    const outlet = new PickyOutlet()
    const [first, last] = [new Listener(), new Listener()]
    let fails = false
    const mayFail = (records: Record[]) => {
      if (fails) throw new Error('no')
      return records
    }
    const link = linkOf(giving(1), [outlet, new KeepOutlet()], [first, mayFail, last], { ignoreExceptions })
    await link.transfer()
    t.same([first.news, last.news], [['0'], ['0']])
    outlet.refuse = true
    await link.transfer()
    t.same([first.news, last.news], [['1 failed'], ['1 failed']])
    fails = true
    await link.transfer()
    t.same([first.news, last.news], [['2 failed'], []])
    fails = outlet.refuse = false
    await link.transfer()
    t.same([first.news, last.news], [['3'], ['3']])
  }
})

t.test('a processor that listens is told, whichever others do', async (t) => {
  const before = (records: Record[]) => records
  const listener = new Listener()
  const link = linkOf(giving(1), new KeepOutlet(), [before, listener, new Buffer({ countThreshold: 2 })])
  await link.transfer()
  t.same(listener.news, [], 'the buffer holds what went through it')
  await link.transfer()
  t.same(listener.news, ['0', '1'])
  await link.transfer()
  t.same(listener.news, [])
  await link.drain()
  t.same(listener.news, ['2', '3'], 'a draining is a transfer, too')
})

t.test('what a buffer before it lets go of is told when it has come through', async (t) => {
  captureLogs(t, 'silent')
  const outlet = new PickyOutlet()
  const listener = new Listener()
  const link = linkOf(giving(1), outlet, [new Buffer({ countThreshold: 2 }), listener])
  await link.transfer()
  t.same(listener.news, [])
  outlet.refuse = true
  await link.transfer()
  t.same(listener.news, ['0 failed', '1 failed'])
  outlet.refuse = false
  await link.transfer()
  await link.transfer()
  t.same(listener.news, ['2', '3'])
})

t.test('records that a processor adds while a buffer holds those that were pulled are waited for, too', async (t) => {
  const listener = new Listener()
  const adds = (records: Record[]) => [...records, giving(1).newRecord(9)]
  const buffers = [new Buffer({ countThreshold: 3 }), new Buffer({ countThreshold: 5 })] as const
  const link = linkOf(giving(1), new KeepOutlet(), [buffers[0], adds, listener, buffers[1]])
  await link.transfer()
  await link.transfer()
  t.same(listener.news, [])
  await link.transfer()
  t.same(listener.news, ['0', '1', '2'])
})

t.test('a failure to listen is one of the transfer, and others are told all the same', async (t) => {
  captureLogs(t, 'silent')
  const fails = new Listener(() => Promise.reject(new Error('cannot listen')))
  const other = new Listener()
  const report = await linkOf(giving(1), new KeepOutlet(), [fails, other]).transfer()
  t.match(report, {
    failed: true,
    errors: [{ node: 'processor Listener', stage: 'process', message: 'cannot listen' }],
  })
  t.same(other.news, ['0'])
})

t.test('links that share a processor tell it of their own transfers', async (t) => {
  captureLogs(t, 'silent')
  const distinct = new Distinct({ by: (payload) => payload as number })
  const [good, picky] = [new PickyOutlet(), new PickyOutlet()]
  const links = [linkOf(giving(1, 2), good, [distinct]), linkOf(giving(2, 3), picky, [distinct])] as const
  picky.refuse = true
  await links[1].transfer()
  t.same(good.batches.flat(), [])
  await links[0].transfer()
  t.same(good.payloads, [[1, 2]])
  picky.refuse = false
  await links[1].transfer()
  t.same(picky.payloads, [[3]])
})

/** Shows all that has happened so far. */
class FeedInlet extends Inlet<number> {
  shown = 0

  pull() {
    return Array.from({ length: this.shown }, (_, event) => event)
  }
}

t.test(
  'each event of a feed is delivered exactly once, whichever transfers fail and whatever is buffered',
  async (t) => {
    captureLogs(t, 'silent')
    const buffer = fc.constantFrom(undefined, undefined, 2, 5)
    const step = fc.record({ more: fc.nat(3), refuse: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        fc.record({ before: buffer, after: buffer, ofOutlet: buffer }),
        fc.boolean(),
        fc.array(step, { maxLength: 20 }),
        async ({ before, after, ofOutlet }, isOfOutlet, steps) => {
          const feed = new FeedInlet()
          const list = (threshold?: number) =>
            threshold === undefined ? [] : [new Buffer<number>({ countThreshold: threshold })]
          const distinct = [new Distinct<number>({ by: (event) => event })]
          const outlet = new PickyOutlet(undefined, {
            processors: (isOfOutlet
              ? [...list(after), ...distinct, ...list(ofOutlet)]
              : list(ofOutlet)) as unknown as Processor[],
          })
          const link = new Link<number>({
            inlets: feed,
            outlets: outlet,
            processors: [...list(before), ...(isOfOutlet ? [] : distinct), ...list(after)],
            interval: 1,
          })
          for (const { more, refuse } of steps) {
            feed.shown += more
            outlet.refuse = refuse
            await link.transfer()
          }
          outlet.refuse = false
          for (let round = 0; round < 2; round++) {
            await link.transfer()
            await link.drain()
          }
          const taken = outlet.batches.flat().map(({ payload }) => Number(payload))
          const expected = Array.from({ length: feed.shown }, (_, event) => event)
          return taken.sort((a, b) => a - b).join() === expected.join()
        },
      ),
      { numRuns: 400 },
    )
  },
)
