import { changesOf, type ClockChange } from './changes.js'
import { check, type Checked } from './check.js'

/*
 * Checks cron expressions around all changes of the clock in all time zones, from 2025 to 2028, against a naive model, and
 * prints a table. Arguments: parts of names of time zones, to check these alone.
 */

const FROM = Date.UTC(2025, 0, 1)
const TO = Date.UTC(2029, 0, 1)

const asked = process.argv.slice(2)
const zones = Intl.supportedValuesOf('timeZone').filter(
  (zone) => asked.length === 0 || asked.some((part) => zone.toLowerCase().includes(part.toLowerCase())),
)

/** Time zones that change their clock alike, by what and when they do. */
const alike = new Map<string, Checked[]>()
let steady = 0
for (const [index, zone] of zones.entries()) {
  const changes = changesOf(zone, FROM, TO)
  if (changes.length === 0) steady++
  for (const change of changes) {
    const key = `${new Date(change.at).toISOString().slice(0, 16)}Z  ${describe(change)}`
    alike.set(key, [...(alike.get(key) ?? []), check(change)])
  }
  if (process.stderr.isTTY) process.stderr.write(`\r${index + 1} of ${zones.length} time zones `)
}
if (process.stderr.isTTY) process.stderr.write('\n')

const sum = (checked: readonly Checked[], of: (one: Checked) => number) =>
  checked.reduce((all, one) => all + of(one), 0)
const row = (
  ...cells: readonly [string, string | number, string | number, string | number, string | number, string]
) => {
  const [change, ...others] = cells
  const widths = [5, 9, 4, 7]
  const zonesOfIt = others.pop()
  console.log(
    [change.padEnd(56), ...others.map((cell, at) => String(cell).padStart(widths[at] ?? 0)), zonesOfIt].join('  '),
  )
}
row('change', 'zones', 'due times', 'lost', 'doubled', 'for example')
for (const [key, checked] of [...alike].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const lost = sum(checked, (one) => one.lost.length)
  const doubled = sum(checked, (one) => one.doubled.length)
  row(
    key,
    checked.length,
    sum(checked, (one) => one.due),
    lost,
    doubled,
    checked[0]?.change.timeZone ?? '',
  )
}

const all = [...alike.values()].flat()
const wrong = all.flatMap(({ lost, doubled }) => [
  ...lost.map((what) => `lost: ${what}`),
  ...doubled.map((what) => `doubled: ${what}`),
])
for (const what of wrong.slice(0, 20)) console.log(what)
const jobs = Math.max(0, ...all.map((one) => one.jobs))
console.log(
  `\n${zones.length} time zones, ${steady} of them without a change; ${all.length} changes of the clock, ` +
    `${jobs} cron expressions around each, ${sum(all, (one) => one.due)} due times`,
)
console.log(
  wrong.length === 0 ? 'right: no due time and no day is lost, none is doubled' : `WRONG: ${wrong.length} differences`,
)
if (wrong.length > 0 || all.length === 0) process.exitCode = 1

/** The change in words: `Sun 2026-03-29 02:00 -> 03:00, gap of 60 min`. */
function describe({ before, after }: ClockChange): string {
  const day = new Date(before).toUTCString().slice(0, 3)
  const [from, to] = [before, after].map((local) => new Date(local).toISOString().replace('T', ' ').slice(0, 16))
  const minutes = (after - before) / 60_000
  const end = from?.slice(0, 10) === to?.slice(0, 10) ? to?.slice(11) : to?.slice(5)
  return `${day} ${from} -> ${end}, ${minutes > 0 ? 'gap' : 'repeats'} ${Math.abs(minutes)}`
}
