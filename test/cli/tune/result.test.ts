import t from 'tap'
import { Flow } from '../../../src/cli/tune/flow.js'
import { resultOf } from '../../../src/cli/tune/result.js'
import type { RoundFigures } from '../../../src/cli/tune/round.js'
import { emptyReport } from '../../helpers/planners.js'

const ABOUT = { modules: ['file:///links.js'], cores: 2, node: 'v20.0.0', push: false, seconds: 3 }

/** Makes a round of a second in which each link made one transfer with so many records. */
function round(records: { readonly [link: string]: number }, figures: Partial<RoundFigures> = {}): RoundFigures {
  const flow = new Flow(1000)
  flow.open(0)
  for (const [link, pulled] of Object.entries(records))
    flow.add({ ...emptyReport(link), startedAt: 0, endedAt: 1, pulled })
  const machine = { delay: 1, memory: 1, processMemory: 2, granted: 1 }
  return { flow, seconds: 1, utilization: [1], ...machine, ...figures }
}

t.test('of each figure the median of the rounds is told', async (t) => {
  const rounds = [1, 5, 3].map((value) =>
    round({ a: value, b: 10 }, { delay: value, memory: value, processMemory: value, utilization: [value / 10] }),
  )
  t.match(resultOf([{ threads: 1, transfersPerThread: 1000, rounds }], ABOUT), {
    links: 2,
    rounds: 3,
    recommended: { threads: 1, transfersPerThread: 1000 },
    settings: [
      {
        ...{ recordsPerSecond: 13, transfersPerSecond: 2, speedUp: 1, delay: 3, memory: 3, processMemory: 3 },
        utilization: [0.3],
        rounds: [11, 15, 13],
      },
    ],
  })
})

t.test('processor time that others took is counted in, and said', async (t) => {
  const one = { threads: 1, transfersPerThread: 1000, rounds: [round({ a: 100 })] }
  const two = { threads: 2, transfersPerThread: 1000, rounds: [round({ a: 100 }, { granted: 0.5 })] }
  const { settings, recommended, notes } = resultOf([one, two], ABOUT)
  t.match(settings, [{ speedUp: 1 }, { recordsPerSecond: 100, speedUp: 2 }])
  t.match(recommended, { threads: 2 })
  t.match(notes, [/^the machine was busy with other work, which left as little as 50 % /])
  t.strictSame(resultOf([one], ABOUT).notes, [])
})

t.test('a link without records counts by its transfers', async (t) => {
  const setting = (threads: number, transfers: number) => {
    const figures = round({ a: 100 })
    for (let at = 0; at < transfers; at++) figures.flow.add({ ...emptyReport('none'), startedAt: 10, endedAt: 11 })
    return { threads, transfersPerThread: 1000, rounds: [figures] }
  }
  const { settings } = resultOf([setting(1, 1), setting(2, 4)], ABOUT)
  t.equal(settings[1]?.speedUp.toFixed(6), '2.000000', 'one link as much, the other four times')
})

t.test('failures that a link ignores are told', async (t) => {
  const figures = round({ a: 1 })
  const error = { name: 'Error', message: 'no such table', node: 'SomeInlet', stage: 'pull' as const }
  figures.flow.add({ ...emptyReport('a'), errors: [error] })
  const { notes } = resultOf([{ threads: 1, transfersPerThread: 1000, rounds: [figures] }], ABOUT)
  t.strictSame(notes, ['1 of 2 transfers of a failed: SomeInlet failed to pull: no such table'])
})
