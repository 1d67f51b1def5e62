import { availableParallelism } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { PARTS } from './parts.js'
import { DEFAULT_OUTPUT } from './paths.js'
import { DEFAULT_WORK, LIVE_INTERVAL } from './settings.js'

export const USAGE = `Usage: npm start -- [options]

  --url <feed>      poll this GeoJSON feed until Ctrl-C, rather than replay the recorded one
  --out <folder>    folder for the CSV files (default: examples/quickstart/output)
  --planner <kind>  worker: in worker threads (default); schedule: on the main thread, to compare
  --threads <n>     worker threads (default: one per core, up to one per link)
  --interval <s>    seconds between two polls of a link (default: 0.1; ${LIVE_INTERVAL} with --url)
  --work <n>        millions of random draws per fit: how heavy the analysis is (default: ${DEFAULT_WORK})
  --seconds <s>     stop after this time even if the feed is not used up
  --http <address>  serve metrics and probes, such as at 127.0.0.1:9464
  --json            print one line of JSON at the end, and nothing else
  --help            print this`

/** Arguments of the command line, checked. */
export interface Arguments {
  readonly url: string | undefined
  readonly out: string
  readonly planner: 'worker' | 'schedule'
  readonly threads: number
  readonly interval: number
  readonly work: number
  readonly seconds: number
  readonly http: string | undefined
  readonly json: boolean
  readonly help: boolean
}

const REPLAY_INTERVAL = 0.1

/** Reads the command line; throws an Error that says what was expected. */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      url: { type: 'string' },
      out: { type: 'string', default: DEFAULT_OUTPUT },
      planner: { type: 'string', default: 'worker' },
      threads: { type: 'string' },
      interval: { type: 'string' },
      work: { type: 'string' },
      seconds: { type: 'string' },
      http: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { url, planner } = values
  if (planner !== 'worker' && planner !== 'schedule')
    throw new Error(`--planner: expected worker or schedule, got '${planner}'`)
  if (url !== undefined && !/^https?:\/\//.test(url))
    throw new Error(`--url: expected a http:// or https:// URL, got '${url}'`)
  const threads = numberOf('threads', values.threads, Math.min(PARTS.length, availableParallelism()))
  if (!Number.isInteger(threads)) throw new Error(`--threads: expected an integer, got '${threads}'`)
  return {
    url,
    planner,
    threads,
    out: path.resolve(values.out),
    interval: numberOf('interval', values.interval, url === undefined ? REPLAY_INTERVAL : LIVE_INTERVAL),
    work: numberOf('work', values.work, DEFAULT_WORK),
    seconds: numberOf('seconds', values.seconds, Infinity),
    http: values.http,
    json: values.json,
    help: values.help,
  }
}

function numberOf(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new Error(`--${option}: expected a number above 0, got '${text}'`)
  return value
}
