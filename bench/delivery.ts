import { join } from 'node:path'
import { LinkStore } from '../src/store/link-store.js'
import { ownStore } from '../src/store/store.js'
import type { Bench, Measurement, Settings } from './bench.js'
import { ClosedLoop } from './closed-loop.js'
import { DueAtOnce } from './due-at-once.js'
import { inFolder } from './folder.js'
import { check, compare, COST_UNITS, repeat, withCost, type Subject } from './measure.js'
import { median, spread } from './statistics.js'
import { plural } from './text.js'
import { makeFile, type MadeFile } from './work/text-files.js'

/** Lines of a transfer. */
const LINES = 1000

/** About as many bytes as a line has, at the most. */
const LINE_BYTES = 100

/** Small links in each thread. */
const SMALL = 100

export const MEMORY = "delivery: 'memory'"
export const CURSOR = "delivery: 'cursor'"
export const MEMORY_WITH_STORE = `${MEMORY}, in a planner with a store`
const COMMIT = 'one commit'

/** Subject of what the cursor costs more than memory. */
export const MORE = 'cursor above memory'

export const COPY_CASE = `${plural(LINES, 'line')} a transfer, file to file, 1 thread`

export function smallCase(threads: number): string {
  return `${SMALL} small links in each of ${plural(threads, 'thread')}, due at once`
}

export const delivery: Bench = {
  name: 'delivery',
  question: 'What does it cost that nothing is lost when a process is killed?',
  async run(settings) {
    const copies = await inFolder((folder) => copying(folder, settings))
    const measurements = [...copies]
    for (const threads of settings.threads.filter((count) => count <= 2)) {
      measurements.push(...(await inFolder((folder) => manySmall(folder, threads, settings))))
    }
    return measurements
  },
}

/** A link that copies lines, in memory and with a cursor, beside a bare commit on the same disk. */
async function copying(folder: string, settings: Settings): Promise<Measurement[]> {
  if (!COPY_CASE.includes(settings.only)) return []
  const transfers = settings.smoke ? 2 : Math.ceil(settings.seconds * 100)
  const bytes = (settings.samples + 1) * transfers * LINES * LINE_BYTES
  const file = makeFile(join(folder, 'lines'), 'lines', bytes)
  const subjects = [
    copySubject(CURSOR, file, folder, transfers, [MEMORY, COMMIT]),
    copySubject(MEMORY, file, folder, transfers, []),
    commits(folder, transfers),
  ]
  const measured = await compare(COPY_CASE, subjects, settings)
  return [...measured, ...moreThanMemory(measured)]
}

function copySubject(name: string, file: MadeFile, folder: string, transfers: number, peers: string[]): Subject {
  return {
    name,
    units: { time: 'ms a transfer', cpu: 'us CPU a record' },
    peers,
    async open() {
      const level = name === CURSOR ? 'cursor' : 'memory'
      const query = new URLSearchParams({ delivery: level, from: file.path, to: join(folder, level) })
      const module = new URL(`./links/delivering.js?${query.toString()}`, import.meta.url)
      const loop = await ClosedLoop.start(module, {
        threads: 1,
        ...(level === 'cursor' && { store: join(folder, 'store') }),
      })
      return {
        sample: async () => {
          let made = 0
          const from = performance.now()
          const { cpu = Number.NaN } = await withCost(async () => {
            await loop.run(
              () => ++made === transfers,
              ({ outlets }) => {
                check('lines', outlets[0]?.pushed, LINES)
              },
            )
            return transfers * LINES
          })
          return { time: (performance.now() - from) / transfers, cpu }
        },
        close: () => loop.close(),
      }
    },
  }
}

/** Subject: a commit of one cursor, as each transfer makes one. */
function commits(folder: string, count: number): Subject {
  return {
    name: COMMIT,
    units: { time: 'ms a transfer', cpu: 'us CPU a record' },
    async open() {
      const { store, release } = await ownStore(join(folder, 'commits'))
      const link = await LinkStore.open(store, 'copy')
      let value = 0
      return {
        sample: async () => {
          const from = performance.now()
          const { cpu = Number.NaN } = await withCost(async () => {
            for (let made = 0; made < count; made++) {
              const position = { position: value++, line: 'x'.repeat(80) }
              await link.commit({ cursors: [{ inlet: 'FileInlet', version: 1, value: position }] })
            }
            return count * LINES
          })
          return { time: (performance.now() - from) / count, cpu }
        },
        close: release,
      }
    },
  }
}

/**
 * What a cursor costs: its time above that of memory, in commits, and its CPU time for each record above that of memory and of a
 * bare commit: what an fsync takes of it is up to the system.
 */
function moreThanMemory(measured: readonly Measurement[]): Measurement[] {
  const samples = (subject: string, figure: string) =>
    measured.find((one) => one.subject === subject && one.figure === figure)?.samples ?? []
  const [memory, commit] = [samples(MEMORY, 'time'), samples(COMMIT, 'time')]
  const [memoryCpu, commitCpu] = [samples(MEMORY, 'cpu'), samples(COMMIT, 'cpu')]
  const above = {
    time: samples(CURSOR, 'time').map((time, at) => (time - (memory[at] ?? NaN)) / (commit[at] ?? NaN)),
    cpu: samples(CURSOR, 'cpu').map((cpu, at) => cpu - (memoryCpu[at] ?? NaN) - (commitCpu[at] ?? NaN)),
  }
  const units = { time: 'commits a transfer', cpu: 'us CPU a record' }
  return (['time', 'cpu'] as const).map((figure) => {
    const own = above[figure]
    const statistics = { samples: own, median: median(own), spread: spread(own), ratios: [] }
    return { case: COPY_CASE, subject: MORE, figure, unit: units[figure], ...statistics }
  })
}

/** Links that give one record in each transfer. */
function manySmall(folder: string, threads: number, settings: Settings): Promise<Measurement[]> {
  const links = settings.smoke ? 4 : SMALL * threads
  const subject = (name: string, level: string, peers: readonly string[], store?: string): Subject => ({
    name,
    units: { ...COST_UNITS, rate: 'transfers/s' },
    peers,
    async open() {
      const module = new URL(`./links/delivering.js?delivery=${level}&links=${links}`, import.meta.url)
      const loop = await DueAtOnce.start(module, threads, store === undefined ? {} : { store: join(folder, store) })
      return {
        sample: (seconds) => withCost(() => repeat(seconds, () => loop.round())),
        close: () => {
          loop.check()
          return loop.close()
        },
      }
    },
  })
  const subjects = [
    subject(CURSOR, 'cursor', [MEMORY], 'cursor'),
    subject(MEMORY_WITH_STORE, 'memory', [MEMORY], 'memory'),
    subject(MEMORY, 'memory', []),
  ]
  return compare(smallCase(threads), subjects, settings)
}
