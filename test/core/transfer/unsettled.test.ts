/** Inlets learn that a pull was delivered when no buffer holds anything of it, and of those before it. */
import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { Buffer } from '../../../src/core/buffer.js'
import { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import type { Outlet } from '../../../src/core/outlet.js'
import type { AnyProcessor, Processor } from '../../../src/core/processor.js'
import type { Record } from '../../../src/core/record.js'
import type { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred, KeepOutlet, turnOfTheLoop } from '../../helpers/nodes.js'

/** Gives the numbers of its pulls, and keeps what it is told of them. */
class NumbersInlet extends Inlet<number> {
  next = 0
  /** Number of records of each pull. */
  size = 1
  readonly told: string[] = []

  pull() {
    return Array.from({ length: this.size }, () => this.next++)
  }

  override onTransferEnd(update: Update, delivered: boolean): void {
    this.told.push(`${update.transferNumber}${delivered ? '' : ' failed'}`)
  }

  /** What it was told since it was asked last. */
  get news(): string[] {
    return this.told.splice(0)
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

const buffer = (countThreshold: number) => new Buffer({ countThreshold })

function linkOf(
  inlets: Inlet<number> | Inlet<number>[],
  outlets: Outlet | Outlet[],
  processors: Processor<number>[] = [],
) {
  return new Link<number>({ inlets, outlets, processors, interval: 1, tags: 'a' })
}

for (const where of ['link', 'outlet'] as const) {
  const make = (countThreshold: number) => {
    const inlet = new NumbersInlet()
    const buffers = [buffer(countThreshold)]
    const outlet = new PickyOutlet(undefined, where === 'outlet' ? { processors: buffers } : {})
    return { inlet, outlet, link: linkOf(inlet, outlet, where === 'link' ? buffers : []) }
  }

  t.test(`what a buffer of the ${where} holds is delivered when it comes out`, async (t) => {
    const { inlet, link } = make(3)
    for (const told of [[], [], ['0', '1', '2'], []]) {
      await link.transfer()
      t.same(inlet.news, told)
    }
    inlet.size = 0
    await link.transfer()
    t.same(inlet.news, [], 'a pull that gave nothing waits for those before it')
    await link.drain()
    t.same(inlet.news, ['3', '4'])
    t.same(link.unsettled.all, [])
  })

  t.test(`what is refused when it comes out of a buffer of the ${where} was not delivered`, async (t) => {
    captureLogs(t, 'silent')
    const { inlet, outlet, link } = make(2)
    outlet.refuse = true
    for (const told of [[], ['0 failed', '1 failed'], []]) {
      await link.transfer()
      t.same(inlet.news, told)
    }
    await link.drain()
    t.same(inlet.news, ['2 failed'])
    outlet.refuse = false
    await link.transfer()
    await link.transfer()
    t.same(inlet.news, ['4', '5'], 'the draining was transfer 3')
  })
}

t.test('what a buffer has let go of and cannot be copied was not delivered', async (t) => {
  captureLogs(t, 'silent')
  for (const where of ['link', 'outlet'] as const) {
    const inlet = new NumbersInlet()
    const processors = [buffer(2)]
    const outlet = new KeepOutlet(undefined, where === 'outlet' ? { processors } : {})
    const spoil = (records: Record<number>[]) =>
      records.map((one) => one.with({ payload: new URL('http://a') as never }))
    const link = linkOf(inlet, outlet, where === 'link' ? [...processors, spoil] : [spoil])
    await link.transfer()
    await link.transfer()
    t.same(inlet.news, ['0 failed', '1 failed'], where)
    t.same(outlet.batches, [])
  }
})

t.test('what a transfer that still runs has taken out of a buffer is not delivered yet', async (t) => {
  captureLogs(t, 'silent')
  const inlet = new NumbersInlet()
  const pushed = deferred()
  const link = new Link<number>({
    inlets: inlet,
    outlets: new KeepOutlet(() => pushed.promise),
    processors: [buffer(2)],
    interval: 1,
    maxInstances: 2,
  })
  await link.transfer()
  const running = link.transfer()
  await turnOfTheLoop()
  await link.transfer()
  t.same(inlet.news, [])
  pushed.reject(new Error('no'))
  await running
  t.same(inlet.news.sort(), ['0 failed', '1 failed'])
})

t.test('an inlet that was removed and shut down is told nothing more, one that is used on is', async (t) => {
  for (const isShared of [false, true]) {
    const inlet = new NumbersInlet()
    const link = linkOf([inlet, new NumbersInlet()], new KeepOutlet(), [buffer(3)])
    await link.onStart()
    if (isShared) await inlet.tryStart()
    await link.transfer()
    await link.removeInlets(inlet)
    await link.transfer()
    t.same(inlet.news, isShared ? ['0'] : [])
    await link.addInlets(inlet)
    await link.transfer()
    await link.transfer()
    t.same(inlet.news, ['2', '3'])
  }
})

t.test('what the buffer of a removed outlet holds was not delivered, and nothing waits for it', async (t) => {
  captureLogs(t, 'silent')
  const inlet = new NumbersInlet()
  const outlet = new KeepOutlet(undefined, { processors: buffer(9) })
  const link = linkOf(inlet, [outlet, new KeepOutlet()])
  await link.transfer()
  await link.removeOutlets(outlet)
  await link.transfer()
  t.same(inlet.news, ['0 failed', '1'])
})

t.test('a transfer is settled at once, however many wait behind the mark', async (t) => {
  const inlet = new NumbersInlet()
  const link = linkOf(inlet, new KeepOutlet(), [buffer(1_000_000)])
  await link.transfer()
  inlet.size = 0
  const time = async (transfers: number) => {
    const began = performance.now()
    for (let transfer = 0; transfer < transfers; transfer++) await link.transfer()
    return (performance.now() - began) / transfers
  }
  await time(1000)
  const few = await time(1000)
  await time(18_000)
  const many = await time(1000)
  t.ok(many < 5 * few + 0.02, `${few} ms, then ${many} ms`)
  await link.drain()
  t.equal(inlet.told.length, 21_001)
})

t.test('an outlet that fails fails its pull alone, and not those that the buffer of another one holds', async (t) => {
  captureLogs(t, 'silent')
  const inlet = new NumbersInlet()
  const picky = new PickyOutlet()
  const link = linkOf(inlet, [picky, new KeepOutlet(undefined, { processors: buffer(4) })])
  await link.transfer()
  picky.refuse = true
  await link.transfer()
  t.same(inlet.news, ['1 failed'], 'it has to be given again at once')
  picky.refuse = false
  await link.transfer()
  t.same(inlet.news, [], 'and one that is delivered waits for the first')
  await link.transfer()
  t.same(inlet.news, ['0', '2', '3'])
})

t.test('a link that shares an outlet may release what the other one pulled', async (t) => {
  const [one, other] = [new NumbersInlet(), new NumbersInlet()]
  const outlet = new KeepOutlet(undefined, { processors: buffer(3) })
  const links = [linkOf(one, outlet), linkOf(other, outlet)] as const
  await links[0].transfer()
  await links[0].transfer()
  t.same([one.news, other.news], [[], []])
  await links[1].transfer()
  t.same([one.news, other.news], [['0', '1'], ['0']])
})

t.test('buffers one after the other, of which the second lets go later', async (t) => {
  const inlet = new NumbersInlet()
  const outlet = new KeepOutlet(undefined, { processors: buffer(5) })
  const link = linkOf(inlet, outlet, [buffer(2)])
  for (let transfer = 0; transfer < 5; transfer++) await link.transfer()
  t.same(inlet.news, [])
  await link.transfer()
  t.same(inlet.news, ['0', '1', '2', '3', '4', '5'])
})

t.test('a buffer that is emptied by hand keeps nobody waiting', async (t) => {
  captureLogs(t, 'silent')
  const inlet = new NumbersInlet()
  const held = buffer(9)
  const link = linkOf(inlet, new KeepOutlet(), [held])
  await link.transfer()
  held.reset()
  inlet.size = 0
  await link.transfer()
  t.equal(inlet.told.length, 2)
})

/** Holds the records that do not fill a page: it is hardly ever empty. */
class Pages {
  records: Record[] = []

  get size(): number {
    return this.records.length
  }

  process = (records: Record[]): Record[] => {
    this.records.push(...records)
    return this.records.splice(0, this.size - (this.size % 3))
  }
}

t.test('a processor that keeps a rest holds the pulls of the rest', async (t) => {
  const inlet = new NumbersInlet()
  const link = linkOf(inlet, new KeepOutlet(), [new Pages() as unknown as Processor<number>])
  inlet.size = 2
  for (const told of [[], ['0'], ['1', '2'], [], ['3'], ['4', '5']]) {
    await link.transfer()
    t.same(inlet.news, told)
  }
})

t.test('what is gone from a buffer was not delivered', async (t) => {
  captureLogs(t, 'silent')
  const [one, other] = [new NumbersInlet(), new NumbersInlet()]
  const pages = new Pages()
  const outlet = new KeepOutlet(undefined, { processors: [pages] })
  const links = [linkOf(one, outlet), linkOf(other, outlet)] as const
  await links[0].transfer()
  await links[0].transfer()
  pages.records.shift()
  const { outlets } = await links[1].transfer()
  t.match(outlets, [{ dropped: 1, pushed: 0 }])
  t.same([one.news, other.news], [['0 failed', '1 failed'], ['0 failed']], 'whose it was cannot be told')
  await links[1].transfer()
  t.same([one.news, other.news], [[], ['1']])
})

t.test('a processor that fails without letting go of anything fails its pull alone', async (t) => {
  captureLogs(t, 'silent')
  const inlet = new NumbersInlet()
  const pages = new Pages()
  let fails = false
  const failing = {
    get size() {
      return pages.size
    },
    process: (records: Record[]) => {
      if (fails) throw new Error('no')
      return pages.process(records)
    },
  }
  const link = linkOf(inlet, new KeepOutlet(), [failing as unknown as Processor<number>])
  await link.transfer()
  fails = true
  await link.transfer()
  t.same(inlet.news, ['1 failed'])
  fails = false
  await link.transfer()
  await link.transfer()
  t.same(inlet.news, ['0', '2', '3'])
})

t.test('a link that settles all has no more in memory than one that never had to', async (t) => {
  const inlet = new NumbersInlet()
  const link = linkOf(inlet, new KeepOutlet(), [buffer(100)])
  for (let transfer = 0; transfer < 1000; transfer++) await link.transfer()
  t.same(link.unsettled.all, [])
  t.equal(inlet.told.length, 1000)
})

t.test(
  'whatever holds and fails, what is told as delivered was taken, in order, and all is told in the end',
  async (t) => {
    captureLogs(t, 'silent')
    const part = fc.constantFrom<() => AnyProcessor>(
      () => buffer(2),
      () => buffer(5),
      () => new Pages(),
      () => (records: Record[]) => records,
    )
    const parts = fc.array(part, { maxLength: 2 })
    const step = fc.record({ size: fc.nat(3), refuse: fc.constantFrom(undefined, undefined, 0, 1) })
    await fc.assert(
      fc.asyncProperty(parts, parts, parts, fc.array(step, { maxLength: 25 }), async (ofLink, ofA, ofB, steps) => {
        const inlet = new NumbersInlet()
        const build = (list: (() => AnyProcessor)[]) => list.map((one) => one()) as Processor[]
        const outlets = [ofA, ofB].map((list) => new PickyOutlet(undefined, { processors: build(list) }))
        const link = linkOf(inlet, outlets, build(ofLink) as Processor<number>[])
        const pulls = new Map<number, number[]>()
        const taken = outlets.map(() => new Set<unknown>())
        let last = -1
        const check = () => {
          for (const [at, outlet] of outlets.entries()) {
            for (const { payload } of outlet.batches.splice(0).flat()) taken[at]?.add(payload)
          }
          for (const news of inlet.news) {
            const [number, failed] = news.split(' ')
            const records = pulls.get(Number(number))
            if (records === undefined) throw new Error(`${news} is told twice`)
            pulls.delete(Number(number))
            if (failed !== undefined) continue
            if (Number(number) < last) throw new Error(`${news} is told after ${last}`)
            last = Number(number)
            if (!records.every((one) => taken.every((set) => set.has(one))))
              throw new Error(`${news} was not delivered`)
          }
        }
        for (const { size, refuse } of steps) {
          inlet.size = size
          for (const [at, outlet] of outlets.entries()) outlet.refuse = at === refuse
          const first = inlet.next
          const { transferNumber } = await link.transfer()
          pulls.set(
            transferNumber,
            Array.from({ length: size }, (_, at) => first + at),
          )
          check()
        }
        for (const outlet of outlets) outlet.refuse = false
        inlet.size = 0
        const empty = await link.transfer()
        pulls.set(empty.transferNumber, [])
        check()
        const held = link.unsettled.all.map(({ update }) => update.transferNumber)
        if (held.join() !== [...pulls.keys()].join()) throw new Error(`${held.join()} of ${[...pulls.keys()].join()}`)
        if (link.buffered === 0 && held.length > 0) throw new Error('nothing holds them')
      }),
      { numRuns: 300 },
    )
  },
)
