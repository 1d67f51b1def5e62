import type { Bench, Measurement, Settings } from './bench.js'
import { ClosedLoop } from './closed-loop.js'
import { check, compare, COST_UNITS, repeat, withCost, type Subject } from './measure.js'
import { plural } from './text.js'
import { WIDE_CASE, wideRows } from './wide-rows.js'
import { copyByHand, expectedSum, makeRows, score, type Row } from './work/rows.js'

const UNITS = { ...COST_UNITS, rate: 'records/s' }

/** Size and kind of a transfer. */
interface Shape {
  readonly records: number
  readonly copy: boolean
  readonly outlets: number
  /** Whether the outlets declare that they only read. */
  readonly readsOnly?: boolean
}

/** Number of links that transfer at once where numbers of threads are compared. */
const PIPELINES = 8

export const records: Bench = {
  name: 'records',
  question: 'How many records can go through a link in a second?',
  async run(settings) {
    const measurements: Measurement[] = []
    for (const shape of settings.smoke
      ? [shapeOf(10, true, 1), { ...shapeOf(10, true, 1), readsOnly: true }]
      : SHAPES) {
      const copies = isCopied(shape)
        ? [plain('copies by hand', copyByHand, shape), plain('structuredClone', clone, shape)]
        : []
      const peers = isCopied(shape) ? copies : [plain('no copies', (row) => row, shape)]
      measurements.push(...(await compare(recordsCase(shape), [oneLink(shape, peers), ...peers], settings)))
    }
    measurements.push(...(await compare(WIDE_CASE, wideRows(settings), settings)))
    measurements.push(...(await pipelines(settings)))
    return measurements
  },
}

const SHAPES: readonly Shape[] = [
  ...[1000, 10_000, 100_000].flatMap((records) => [shapeOf(records, true, 1), shapeOf(records, false, 1)]),
  ...[shapeOf(10_000, true, 3), shapeOf(10_000, false, 3)],
  { ...shapeOf(10_000, true, 1), readsOnly: true },
]

function isCopied({ copy, readsOnly = false }: Shape): boolean {
  return copy && !readsOnly
}

function shapeOf(records: number, copy: boolean, outlets: number): Shape {
  return { records, copy, outlets }
}

export function recordsCase({ records, copy, outlets, readsOnly = false }: Shape): string {
  const kind = readsOnly ? ' that only reads' : ''
  return `${plural(records, 'record')}, copies ${copy ? 'on' : 'off'}, ${plural(outlets, 'outlet')}${kind}`
}

export function pipelinesCase(): string {
  return `${plural(PIPELINES, 'link')} of 10,000 records, copies on, one outlet`
}

function linksOf(links: number, { records, copy, outlets, readsOnly = false }: Shape): URL {
  return new URL(
    `./links/records.js?links=${links}&records=${records}&copy=${copy}&outlets=${outlets}&reads=${readsOnly}`,
    import.meta.url,
  )
}

/** Subject: one link in one thread. */
function oneLink(shape: Shape, peers: readonly Subject[]): Subject {
  return databay(
    'databay',
    1,
    1,
    shape,
    peers.map(({ name }) => name),
  )
}

/** Measures links in several numbers of threads: what a further thread gains. */
function pipelines(settings: Settings): Promise<Measurement[]> {
  const shape = shapeOf(settings.smoke ? 10 : 10_000, true, 1)
  const { threads } = settings
  const subjects = threads.map((count) => {
    const peers = count > 1 && threads.includes(1) ? ['databay, 1 thread'] : []
    return databay(`databay, ${plural(count, 'thread')}`, PIPELINES, count, shape, peers)
  })
  // long enough that idle threads at the end of a sample do not matter
  return compare(pipelinesCase(), subjects, { ...settings, seconds: settings.seconds * 2 })
}

function databay(name: string, links: number, threads: number, shape: Shape, peers: readonly string[]): Subject {
  return {
    name,
    units: UNITS,
    peers,
    async open() {
      const loop = await ClosedLoop.start(linksOf(links, shape), { threads })
      return {
        async sample(seconds) {
          const until = performance.now() + seconds * 1000
          return withCost(async () => {
            const made = await loop.run(
              () => performance.now() >= until,
              ({ pulled, outlets }) => {
                check('records pulled', pulled, shape.records)
                for (const { pushed } of outlets) check('records pushed', pushed, shape.records)
              },
            )
            return made * shape.records
          })
        },
        close: () => loop.close(),
      }
    },
  }
}

function clone(row: Row): Row {
  return structuredClone(row)
}

/** Subject: the same work as plain functions on the main thread. */
function plain(how: string, copy: (row: Row) => Row, shape: Shape): Subject {
  const { records, outlets } = shape
  const copies = isCopied(shape)
  const expected = expectedSum(records)
  return {
    name: `plain functions, ${how}`,
    units: UNITS,
    open: () => ({
      async sample(seconds) {
        const some = () => {
          const rows = makeRows(records).map(score)
          for (let outlet = 0; outlet < outlets; outlet++) {
            let sum = 0
            for (const row of copies ? rows.map(copy) : rows) sum += row.value
            check('sum', sum, expected)
          }
          return records
        }
        return withCost(() => repeat(seconds, some))
      },
    }),
  }
}
