import { performance } from 'node:perf_hooks'
import t from 'tap'
import { Link } from '../../../src/core/link.js'
import type { Record } from '../../../src/core/record.js'
import { captureLogs } from '../../helpers/logs.js'
import { FromInlet, KeepOutlet } from '../../helpers/nodes.js'

/** Time of the clock, in milliseconds: it stands still but for {@link wait}. */
let now = 0

t.beforeEach((t) => {
  captureLogs(t, 'fatal')
  const real = performance.now.bind(performance)
  performance.now = () => now
  t.teardown(() => {
    performance.now = real
  })
})

/** Lets some turns pass, and moves the clock on. */
async function wait<T>(length: number, value?: T): Promise<T> {
  await new Promise(setImmediate)
  now += length
  return value as T
}

t.test('a report has the time of each stage, in the order of the link', async (t) => {
  const link = new Link({
    inlets: [new FromInlet(() => 1), new FromInlet(() => wait(20, 2))],
    processors: [
      function quick(records: Record<number>[]) {
        return records
      },
      async function slow(records: Record<number>[]) {
        await wait(30)
        return records
      },
    ],
    groupers: function pairs(batches: Record<number>[][]) {
      return batches.flat().map((record) => [record])
    },
    outlets: [new KeepOutlet(), new KeepOutlet(() => wait(40))],
    interval: 1,
  })
  const { stages } = await link.transfer()
  t.strictSame(
    stages.map(({ stage, node }) => `${stage} ${node}`),
    [
      'pull FromInlet',
      'pull FromInlet',
      'process processor quick',
      'process processor slow',
      'group grouper pairs',
      'push KeepOutlet',
      'push KeepOutlet',
    ],
  )
  t.strictSame(
    stages.map(({ duration }) => duration),
    [0, 20, 0, 30, 0, 0, 80],
    'two batches are pushed',
  )
})

t.test('a stage that was not called took no time, and one that failed took its', async (t) => {
  const link = new Link({
    inlets: new FromInlet(async () => {
      await wait(20)
      throw new Error('no data')
    }),
    outlets: new KeepOutlet(),
    interval: 1,
  })
  const { stages } = await link.transfer()
  t.match(stages, [
    { stage: 'pull', duration: 20 },
    { stage: 'push', duration: 0 },
  ])
})

t.test('the times of rounds are added up', async (t) => {
  async function* lists() {
    for (const list of [[1], [2], [3]]) {
      await wait(20)
      yield list
    }
  }
  const link = new Link({ inlets: new FromInlet(lists), outlets: new KeepOutlet(() => wait(20)), interval: 1 })
  const { stages, rounds } = await link.transfer()
  t.equal(rounds, 3)
  t.match(stages, [{ stage: 'pull' }, { stage: 'push' }])
  for (const { duration } of stages) t.ok(duration >= 60 && duration <= 120, `one runs ahead of the other: ${duration}`)
})

t.test('the processors of an outlet are part of its time', async (t) => {
  const outlet = new KeepOutlet(undefined, {
    processors: async (records: Record[]) => {
      await wait(20)
      return records
    },
  })
  const link = new Link({ inlets: new FromInlet(() => 1), outlets: outlet, interval: 1 })
  const { stages } = await link.transfer()
  t.match(stages, [
    { stage: 'pull', duration: 0 },
    { stage: 'push', node: 'KeepOutlet', duration: 20 },
  ])
})
