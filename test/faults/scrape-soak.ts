/**
 * Runs many links for any time while their metrics are scraped each second, also by clients that vanish or do not read, and tells
 * whether memory, handles and lateness stay flat.
 *
 *   node dist/test/faults/scrape-soak.js [--minutes 10 | --seconds 60] [--links 1000] [--interval 1] [--threads 2]
 *                                        [--warm-up 150] [--json]
 *
 * Ends with code 1 when something is not flat or wrong.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { loadavg } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setLogLevel, WorkerPlanner } from 'databay'
import { courses, courseTable, keep, type Window, windowCells } from './soak-verdict.js'
import { quantile } from './trend.js'
import { vitals } from './vitals.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seconds: { type: 'string' },
    links: { type: 'string', default: '1000' },
    interval: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    'warm-up': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const seconds = values.seconds === undefined ? 60 * Number(values.minutes) : Number(values.seconds)
const [links, interval, threads] = [Number(values.links), Number(values.interval), Number(values.threads)]
const warmUp = Number(values['warm-up'] ?? Math.min(150, seconds / 4))
/** Length of a window, in seconds. */
const window = Math.min(10, seconds / 20)

const say = (text: string) => {
  if (!values.json) console.log(text)
}

setLogLevel('silent')
const before = vitals()
const module = new URL(`../../bench/links/noop.js?links=${links}&interval=${interval}`, import.meta.url)
// one for each thread, as they host equally many links
const collectors = new URL(`collecting-links.js?links=${threads}&interval=${window}`, import.meta.url)
const planner = new WorkerPlanner([module, collectors], { threads, immediateTransfer: false, http: 0 })
let late: number[] = []
planner.on('transfer', ({ startedAt, scheduledAt }) => late.push(startedAt - scheduledAt))
await planner.start()
const url = `${planner.http?.url}/metrics`
const child = spawn(process.execPath, [fileURLToPath(new URL('./scraper.js', import.meta.url)), url])
child.stderr.pipe(process.stderr)
const scrapes = { good: 0, bad: 0 }
createInterface(child.stdout).on('line', (line) => {
  if (Number(line) === links + threads) scrapes.good++
  else scrapes.bad++
})

say(
  `${seconds} s, ${links} links every ${interval} s, ${threads} threads, a scrape each second, 15 bad connections each second; ${process.version}, ${process.platform}`,
)
say('     at   resident  heap  handles  fds  threads  p99 late  transfers  scrapes  failed  load')
let windows: Window[] = []
const started = performance.now()
const elapsed = () => (performance.now() - started) / 1000
for (let number = 1; elapsed() < seconds; number++) {
  await wait(Math.max(0, number * window * 1000 - 1000 * elapsed()))
  const p99 = quantile(late, 0.99)
  late = []
  const now: Window = { ...vitals(), at: elapsed(), p99, undisturbed: NaN, recovery: NaN }
  if (now.at > warmUp) windows = keep(windows, now)
  line(now)
}
child.stdin.end()
await once(child, 'close')
await planner.shutdown()
await wait(500) // the system takes a moment to remove threads
const after = vitals()
const all = courses(windows)
const wrong = [
  ...all.filter(({ verdict }) => verdict === 'grows').map(({ name }) => `${name} grows`),
  ...(planner.counts.failed > 0 ? [`${planner.counts.failed} transfers failed`] : []),
  ...(planner.counts.transfers < (0.9 * links * seconds) / interval ? ['links did not transfer'] : []),
  ...(scrapes.bad > 0 ? [`${scrapes.bad} scrapes failed`] : []),
  ...(scrapes.good < 0.9 * seconds - 2 ? [`only ${scrapes.good} scrapes`] : []),
  ...(after.handles > before.handles ? [`${after.handles - before.handles} handles are left`] : []),
]
process.exitCode = wrong.length === 0 ? 0 : 1
if (values.json) {
  console.log(JSON.stringify({ ok: wrong.length === 0, wrong, courses: all, counts: planner.counts, scrapes }))
} else {
  say(
    `\n${windows.length} windows after ${warmUp} s of warming up; slopes by Theil and Sen, with 95 % confidence, an hour`,
  )
  for (const text of courseTable(all)) say(text)
  say(`\ntransfers: ${planner.counts.transfers}; scrapes: ${scrapes.good}, ${scrapes.bad} failed`)
  say(wrong.length === 0 ? 'flat, nothing wrong' : `WRONG: ${wrong.join('; ')}`)
}

function line(now: Window): void {
  const cells = [
    ...windowCells(now),
    String(planner.counts.transfers).padStart(11),
    String(scrapes.good).padStart(8),
    String(scrapes.bad).padStart(7),
    (loadavg()[0] ?? 0).toFixed(1).padStart(6),
  ]
  if (values.json) console.log(JSON.stringify({ ...now, ...scrapes, load: loadavg()[0] }))
  else say(cells.join(' '))
}
