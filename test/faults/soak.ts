/**
 * Runs a planner for any time while its threads are killed, and tells whether memory, handles and lateness stay flat. All
 * that the links push is judged meanwhile.
 *
 *   node dist/test/faults/soak.js [--minutes 30 | --seconds 60] [--links 200] [--interval 1] [--kill-every 20]
 *                                 [--threads 2] [--seed 1] [--warm-up 150] [--slack] [--json]
 *
 * Ends with code 1 when something is not flat or wrong.
 */
import { loadavg } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { anySeed } from './random.js'
import { courses, courseTable, keep, type Window, windowCells } from './soak-verdict.js'
import { SoakRun, type Victim } from './soak-run.js'
import { quantile } from './trend.js'
import { vitals } from './vitals.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    links: { type: 'string', default: '200' },
    interval: { type: 'string', default: '1' },
    'kill-every': { type: 'string', default: '20' },
    threads: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(anySeed()) },
    'warm-up': { type: 'string' },
    slack: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const seconds = values.seconds === undefined ? 60 * Number(values.minutes ?? 30) : Number(values.seconds)
const [links, interval, killEvery, threads, seed] = [
  Number(values.links),
  Number(values.interval),
  Number(values['kill-every']),
  Number(values.threads),
  Number(values.seed),
]
const warmUp = Number(values['warm-up'] ?? Math.min(150, seconds / 6))
/** Length of a window in seconds: the time between two kills, if there are any. */
const window = killEvery > 0 ? killEvery : Math.min(10, seconds / 10)
/** Time after which a thread has collected its garbage when it was ordered to, in milliseconds. */
const COLLECTING = 1000 * interval + 300

const say = (text: string) => {
  if (!values.json) console.log(text)
}

const setting = { seconds, links, interval, killEvery, threads, seed, warmUp }
say(
  `${seconds} s, ${links} links every ${interval} s, ${threads} threads, one killed every ${killEvery} s, seed ${seed}; ${process.version}, ${process.platform}`,
)
const before = vitals()
const run = new SoakRun(setting)
const started = performance.now()
const elapsed = () => (performance.now() - started) / 1000
await run.planner.start()
let windows: Window[] = []
/** Number of examples of what is wrong that were printed. */
let told = 0
say(
  '     at   resident  heap  handles  fds  threads  p99 late  of others  recovery  transfers  failed  wrong  load  killed by',
)
for (let number = 0; elapsed() < seconds; number++) {
  const victim: Victim | undefined = killEvery > 0 ? run.kill() : undefined
  await wait(Math.max(0, (number + 1) * window * 1000 - COLLECTING - 1000 * elapsed()))
  run.collect()
  await wait(Math.max(0, (number + 1) * window * 1000 - 1000 * elapsed()))
  const { all, undisturbed } = run.takeLateness()
  const now: Window = {
    ...vitals(),
    at: elapsed(),
    p99: quantile(all, 0.99),
    undisturbed: quantile(undisturbed, 0.99),
    recovery: run.takeSlowest(),
  }
  if (now.at > warmUp) windows = keep(windows, now)
  line(now, victim)
}
run.settle()
await run.end()
await wait(500) // the system takes a moment to remove threads
const after = vitals()
if (after.handles > before.handles) {
  run.ledger.blame(`${after.handles - before.handles} handles are left: ${JSON.stringify(after.types)}`)
}
summary()

function line(now: Window, victim: Victim | undefined): void {
  const { transfers, failed } = run.ledger.counts
  const cells = [
    ...windowCells(now),
    now.undisturbed.toFixed(1).padStart(10),
    now.recovery.toFixed(0).padStart(9),
    String(transfers).padStart(11),
    String(failed).padStart(7),
    String(run.ledger.wrong).padStart(6),
    (loadavg()[0] ?? 0).toFixed(1).padStart(5),
    `  ${victim === undefined ? '' : victim.killing.name}`,
  ]
  if (values.json)
    console.log(JSON.stringify({ ...now, transfers, failed, load: loadavg()[0], killedBy: victim?.killing.name }))
  else say(cells.join(' '))
  for (const example of run.ledger.examples.slice(told)) say(`WRONG: ${example}`)
  told = run.ledger.examples.length
}

function summary(): void {
  const { ledger, planner, recoveries } = run
  const recovery = { p50: recoveries.quantile(0.5), p99: recoveries.quantile(0.99), most: recoveries.longest }
  const limit = 1000 * interval + 500
  const slow = recoveries.longerThan(limit)
  if (slow > 0 && !values.slack)
    ledger.blame(`${slow} of ${recoveries.count} times a link needed more than ${limit} ms to transfer again`)
  const all = courses(windows)
  const grows = all.filter(({ verdict }) => verdict === 'grows')
  const ok = ledger.wrong === 0 && grows.length === 0
  process.exitCode = ok ? 0 : 1
  const { counts } = planner
  if (values.json) {
    const { wrong, examples } = ledger
    console.log(
      JSON.stringify({
        ok,
        setting,
        courses: all,
        counts,
        records: ledger.counts,
        wrong,
        examples,
        recovery,
        kills: run.kills,
      }),
    )
    return
  }
  say(
    `\n${windows.length} windows after ${warmUp} s of warming up; slopes by Theil and Sen, with 95 % confidence, an hour`,
  )
  for (const text of courseTable(all)) say(text)
  const { counts: records } = ledger
  say(
    `\nthreads lost: ${Object.entries(run.kills)
      .map(([name, times]) => `${name} ${times}`)
      .join(', ')}`,
  )
  say(
    `transfers: ${counts.transfers}, ${counts.failed} failed, ${counts.skipped} skipped, ${counts.late} late, ${counts.missed} missed`,
  )
  say(
    `records: ${records.pushed} pushed (${records.pushedAllTheSame} of transfers that failed), ${records.failedRecords} failed with their transfers, ${records.lost} lost in buffers (${records.lostAsTold} as told)`,
  )
  say(
    `recovery: ${recoveries.count} times a link transferred again after its thread was lost, p50 ${recovery.p50.toFixed(0)} ms, p99 ${recovery.p99.toFixed(0)} ms, most ${recovery.most.toFixed(0)} ms`,
  )
  say(`handles after the shutdown: ${after.handles} (before the start: ${before.handles})`)
  say(`errors of transfers: ${JSON.stringify(run.failures)}`)
  for (const example of ledger.examples) say(`WRONG: ${example}`)
  const flat = grows.length === 0 ? 'flat' : `NOT FLAT: ${grows.map(({ name }) => name).join(', ')}`
  say(
    `${flat}; ${ledger.wrong === 0 ? 'nothing wrong: every loss is accounted for' : `${ledger.wrong} things are WRONG`}`,
  )
}
