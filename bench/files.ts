import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench, Measurement, Settings } from './bench.js'
import type { Cost } from './children/cost.js'
import { ClosedLoop } from './closed-loop.js'
import { inFolder } from './folder.js'
import { figuresOf, fresh, FRESH_UNITS, printedBy, unwarmed } from './fresh.js'
import { check, compare, COST_UNITS, withCost, type Subject } from './measure.js'
import { ORIGINAL } from './peers/names.js'
import { Original, original } from './peers/original.js'
import { digestOf, makeFile, type FileKind, type MadeFile } from './work/text-files.js'

const UNITS = { rate: 'MB/s', ...FRESH_UNITS, cpu: 'us CPU per row' }
const TRANSFERS = { ...COST_UNITS, rate: 'transfers/s' }

// in the sources: it is not compiled
const CSV_COPY = fileURLToPath(new URL('../../bench/peers/csv_copy.py', import.meta.url))

/** How much smaller the CSV file is: some copy it very slowly. */
const CSV_SHARE = 4

export const BY_STREAMS = 'Node, streams that split and join lines'
export const BY_PYTHON = 'Python, DictReader to DictWriter'
export const BY_CSV_PARSE = 'csv-parse to csv-stringify, streams'

export const LINES_CASE = 'lines, file to file'
export const CSV_CASE = 'CSV file to CSV file'
export const LINE_CASE = 'one line a transfer, file to file'

export const files: Bench = {
  name: 'files',
  question: 'How fast does a link copy a file line by line, row by row, and one line at a time?',
  run: (settings) =>
    inFolder(async (folder) => [
      ...(await lines(folder, settings)),
      ...(await csv(folder, settings)),
      ...(await lineByLine(folder, settings)),
    ]),
}

function lines(folder: string, settings: Settings) {
  return copies(LINES_CASE, folder, 'lines', settings.size * 1e6, settings, (copy) => [
    copy('databay', [BY_STREAMS], (from, to) => fresh('copy-file', ['databay', 'lines', from, to])),
    copy(BY_STREAMS, [], (from, to) => fresh('copy-file', ['node', 'lines', from, to])),
  ])
}

async function csv(folder: string, settings: Settings) {
  const python = await hasPython(settings.python)
  if (!python) console.error(`files: ${BY_PYTHON} is left out: there is no ${settings.python}`)
  return copies(CSV_CASE, folder, 'csv', (settings.size * 1e6) / CSV_SHARE, settings, (copy) => [
    copy('databay', [BY_CSV_PARSE, ...(python ? [BY_PYTHON] : [])], (from, to) =>
      fresh('copy-file', ['databay', 'csv', from, to]),
    ),
    copy(BY_CSV_PARSE, [], (from, to) => fresh('copy-file', ['node', 'csv', from, to])),
    ...(python ? [copy(BY_PYTHON, [], (from, to) => printedBy(settings.python, [CSV_COPY, from, to]))] : []),
  ])
}

async function hasPython(command: string): Promise<boolean> {
  try {
    return (await printedBy(command, ['-c', 'print(1)'])) === 1
  } catch {
    return false
  }
}

/** Makes a subject of a program that copies a file. */
type CopySubject = (
  name: string,
  peers: readonly string[],
  run: (from: string, to: string) => Promise<unknown>,
) => Subject

async function copies(
  name: string,
  folder: string,
  kind: FileKind,
  bytes: number,
  settings: Settings,
  subjects: (copy: CopySubject) => readonly Subject[],
): Promise<Measurement[]> {
  if (!name.includes(settings.only)) return []
  const file = makeFile(join(folder, kind), kind, bytes)
  const to = join(folder, `copy of ${kind}`)
  const digest = await digestOf(file.path)
  const copy: CopySubject = (subject, peers, run) => ({
    name: subject,
    units: UNITS,
    peers,
    open: () => ({
      async sample() {
        await rm(to, { force: true })
        const cost = (await run(file.path, to)) as Cost
        check(`copy of ${subject}`, await digestOf(to), digest)
        return figuresOf(cost, file.rows, file.bytes / 1e6)
      },
    }),
  })
  return compare(name, subjects(copy), unwarmed(settings))
}

async function lineByLine(folder: string, settings: Settings): Promise<Measurement[]> {
  if (!LINE_CASE.includes(settings.only)) return []
  // more lines than can be copied in all samples
  const file = makeFile(join(folder, 'many lines'), 'lines', settings.smoke ? 1e5 : 20e6)
  const python = await Original.open(settings.python)
  if (python === undefined) console.error(`files: ${ORIGINAL} is left out: ${settings.python} does not have it`)
  const subjects = [oneLine(file, folder, python === undefined ? [] : [ORIGINAL])]
  if (python !== undefined) {
    const to = join(folder, 'of the original')
    const asked = { kind: 'lines', size: 0, threads: 1, sum: 0, from: file.path, to } as const
    subjects.push(original(python, ORIGINAL, TRANSFERS, asked))
  }
  try {
    return await compare(LINE_CASE, subjects, settings)
  } finally {
    python?.close()
  }
}

/** Subject: a link whose transfers copy one line each. */
function oneLine({ path }: MadeFile, folder: string, peers: readonly string[]): Subject {
  return {
    name: 'databay',
    units: TRANSFERS,
    peers,
    async open() {
      const query = new URLSearchParams({ from: path, to: join(folder, 'of databay'), lines: '1' })
      const loop = await ClosedLoop.start(new URL(`./links/copying.js?${query.toString()}`, import.meta.url), {
        threads: 1,
      })
      const link = loop.planner.links.filter(({ name }) => name === 'copy')
      return {
        sample(seconds) {
          const until = performance.now() + seconds * 1000
          return withCost(() =>
            loop.run(
              () => performance.now() >= until,
              ({ outlets }) => {
                check('lines', outlets[0]?.pushed, 1)
              },
              link,
            ),
          )
        },
        close: () => loop.close(),
      }
    },
  }
}
