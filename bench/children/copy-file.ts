/**
 * Copies a file once, in a process that has done nothing yet, and prints what it took as JSON.
 *
 *   node dist/bench/children/copy-file.js SUBJECT lines|csv FROM TO
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { parse } from 'csv-parse'
import { stringify } from 'csv-stringify'
import { ClosedLoop } from '../closed-loop.js'
import { costOf, type Cost } from './cost.js'

const [subject = '', kind = '', from = '', to = ''] = process.argv.slice(2)

const SUBJECTS: { readonly [name: string]: () => Promise<Cost> } = {
  'databay lines': copyByLink,
  'databay csv': copyByLink,
  'node lines': () => costOf(copyLines),
  'node csv': () => costOf(copyCsv),
}

const copy = SUBJECTS[`${subject} ${kind}`]
if (copy === undefined) throw new Error(`there is nothing to measure called '${subject} ${kind}'`)
process.stdout.write(JSON.stringify(await copy()), () => process.exit())

async function copyByLink(): Promise<Cost> {
  const module = new URL(`../links/copying.js?${new URLSearchParams({ kind, from, to }).toString()}`, import.meta.url)
  const loop = await ClosedLoop.start(module, { threads: 1 })
  let rows = 0
  const link = loop.planner.links.filter(({ name }) => name === 'copy')
  const cost = await costOf(async () => {
    await loop.run(
      () => true,
      ({ pulled }) => {
        rows += pulled
      },
      link,
    )
    return rows
  })
  await loop.close()
  return cost
}

/** Splits the text into lines, and joins them again, a chunk at a time. */
async function copyLines(): Promise<number> {
  let rows = 0
  const source = createReadStream(from, 'utf8')
  await pipeline(
    source,
    async function* split(chunks: AsyncIterable<string>) {
      let rest = ''
      for await (const chunk of chunks) {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        yield lines
      }
      if (rest !== '') yield [rest]
    },
    async function* join(lists: AsyncIterable<string[]>) {
      for await (const lines of lists) {
        rows += lines.length
        if (lines.length > 0) yield `${lines.join('\n')}\n`
      }
    },
    createWriteStream(to),
  )
  return rows
}

async function copyCsv(): Promise<number> {
  const rows = parse({ columns: true })
  await pipeline(createReadStream(from), rows, stringify({ header: true }), createWriteStream(to))
  return rows.info.records
}
