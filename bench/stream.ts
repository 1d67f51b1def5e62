import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, Settings } from './bench.js'
import type { Cost } from './children/cost.js'
import { inFolder } from './folder.js'
import { figuresOf, fresh, FRESH_UNITS, unwarmed } from './fresh.js'
import { check, compare, type Figures, type Subject } from './measure.js'
import { plural } from './text.js'
import { digestOf, makeFile, type MadeFile } from './work/text-files.js'

const UNITS = { rate: 'records/s', ...FRESH_UNITS }
const LATE = { 'late p50': 'ms', 'late p99': 'ms', 'late max': 'ms' }

const MANY = 1_000_000
const FEW = 10_000

/** Number of records in a list that is yielded. */
const LIST = 1024

const FUNCTIONS = 'plain functions, list by list'

export const BESIDE = 'beside a link that copies a file'

export const NEIGHBOUR_CASE = 'a link that waits 10 ms, in one thread with a link that copies a file'

export const stream: Bench = {
  name: 'stream',
  question: 'What does a transfer of very many records cost, and what do its neighbours notice?',
  async run(settings) {
    const [many, few] = settings.smoke ? [3000, 1000] : [MANY, FEW]
    const [streamed, small] = [streamedSubject(many), streamedSubject(few)]
    const subjects = [
      ofRecords(streamed, ['links', many, many, LIST], many, [small, FUNCTIONS]),
      ofRecords(small, ['links', many, few, LIST], many, [FUNCTIONS]),
      ofRecords(`databay, ${plural(many, 'record')} in one list`, ['links', many, many, 0], many, [small, FUNCTIONS]),
      ofRecords(FUNCTIONS, ['functions', many, many, LIST], many, []),
    ]
    const measurements = await compare(streamedCase(many), subjects, unwarmed(settings))
    return [...measurements, ...(await neighbours(settings))]
  },
}

export function streamedCase(records = MANY): string {
  return `${plural(records, 'record')} through a link, with copies`
}

/** Name of the subject whose transfers have so many records, in lists. */
export function streamedSubject(records: number): string {
  return `databay, streamed, ${plural(records, 'record')} a transfer`
}

/** Subject: the same number of records in all, in transfers of different sizes. */
function ofRecords(name: string, args: readonly (string | number)[], total: number, peers: readonly string[]): Subject {
  return {
    name,
    units: UNITS,
    peers,
    open: () => ({
      sample: async () => figuresOf((await fresh('stream', args)) as Cost, total, total),
    }),
  }
}

function neighbours(settings: Settings) {
  if (!NEIGHBOUR_CASE.includes(settings.only)) return []
  return inFolder(async (folder) => {
    const file = makeFile(join(folder, 'lines'), 'lines', settings.size * 1e6)
    const alone: Subject = {
      name: 'alone',
      units: LATE,
      open: () => ({
        sample: async (seconds) =>
          (await fresh('stream', ['alone', seconds * 1000, file.path, join(folder, 'copy')])) as Figures,
      }),
    }
    return compare(NEIGHBOUR_CASE, [besideCopy(file, join(folder, 'copy')), alone], unwarmed(settings))
  })
}

/** Subject: the neighbour of a link that copies a file, until that is done. */
function besideCopy({ path }: MadeFile, to: string): Subject {
  return {
    name: BESIDE,
    units: LATE,
    peers: ['alone'],
    open: () => ({
      async sample() {
        await rm(to, { force: true })
        const figures = (await fresh('stream', ['beside', 0, path, to])) as Figures
        check('copied file', await digestOf(to), await digestOf(path))
        return figures
      },
    }),
  }
}
