import { counted } from '../../base/counted.js'
import type { Blocked } from '../../core/report.js'
import type { LinkLag, OutletBalance, TransferList } from '../../store/ledger/ledger-reader.js'
import type { LedgerTransfer } from '../../store/ledger/ledger-rows.js'
import { nextDue, tableLines, timeText } from '../links/link-text.js'

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** A length of time for people: `12 ms`, `3.4 s`, `5 min`, `2 d`. */
export function spanText(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => milliseconds >= size) ?? ['ms', 1]
  const count = milliseconds / size
  return `${count < 10 && unit !== 'ms' ? Number(count.toFixed(1)) : Math.round(count)} ${unit}`
}

/** Lines that list transfers. */
export function transferLines({ transfers, more, unlisted, keptSince }: TransferList, now: number): string[] {
  const notes: string[] = []
  if (more > 0) notes.push(`${more.toLocaleString('en-US')} more before: see --limit`)
  if (keptSince !== undefined) notes.push(`transfers before ${timeText(keptSince, now)} are in sums by the hour alone`)
  if (unlisted > 0) notes.push(`${counted(unlisted, 'transfer')} came too fast, and are in sums by the hour alone`)
  if (transfers.length === 0) return ['no transfers', ...notes]
  const rows = transfers.map((one) => [
    timeText(one.endedAt, now),
    one.link,
    one.kind === 'drain' ? `${one.update} (drain)` : one.update,
    spanText(one.endedAt - one.startedAt),
    String(one.pulled),
    one.outlets.map(({ outlet, pushed }) => `${outlet} ${pushed}`).join(', '),
    String(droppedIn(one)),
    errorText(one),
  ])
  const table = tableLines([['time', 'link', 'update', 'took', 'pulled', 'pushed', 'dropped', 'error'], ...rows])
  return notes.length === 0 ? table : [...table, '', ...notes]
}

function droppedIn({ dropped, outlets }: LedgerTransfer): number {
  return outlets.reduce((sum, outlet) => sum + outlet.dropped, dropped)
}

function errorText(transfer: LedgerTransfer): string {
  const { errors, blocked, outlets } = transfer
  const waiting = outlets.reduce((sum, outlet) => sum + (outlet.waiting ?? 0), 0)
  const dead = outlets.reduce((sum, outlet) => sum + (outlet.dead ?? 0), transfer.dead ?? 0)
  const letters = dead === 0 ? '' : `${counted(dead, 'dead letter')}: `
  if (blocked !== undefined) return `${letters}blocked, ${blockedText(blocked, waiting)}`
  const [first] = errors
  if (first === undefined) return dead === 0 ? '' : counted(dead, 'dead letter')
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return `${letters}${first.node} failed to ${first.stage}: ${first.message}${more}`
}

function blockedText({ attempts, node, stage, message }: Blocked, waiting: number): string {
  const records = waiting === 0 ? '' : `, ${counted(waiting, 'record')} waiting`
  return `try ${attempts}${records}: ${node} failed to ${stage}: ${message}`
}

/** How a link does, as `ledger lag` tells it. */
export interface LagRow extends Omit<LinkLag, 'planned'> {
  /** Time since the last transfer without an error, in milliseconds. */
  readonly age?: number
  /** Next try of a blocked link; else next due time of one with `cron` or `alignToClock`, or of another that has transferred. */
  readonly dueAt?: number
}

/** How links do, with their due times. */
export function lagRows(links: readonly LinkLag[], now: number): LagRow[] {
  return links.map(({ planned, ...link }) => {
    const { lastSuccessAt, lastScheduledAt, blocked } = link
    const dueAt = blocked?.retryAt ?? (planned === undefined ? undefined : dueTime(planned, lastScheduledAt, now))
    return {
      ...link,
      ...(lastSuccessAt === undefined ? {} : { age: Math.max(0, now - lastSuccessAt) }),
      ...(dueAt === undefined ? {} : { dueAt }),
    }
  })
}

function dueTime({ schedule }: NonNullable<LinkLag['planned']>, lastAt: number | undefined, now: number) {
  if (schedule.every === undefined || schedule.alignToClock) return nextDue(schedule, now)
  return lastAt === undefined ? undefined : lastAt + schedule.every
}

/** Lines that tell how links do. */
export function lagLines(links: readonly LagRow[], now: number): string[] {
  if (links.length === 0) return ['no links']
  const rows = links.map(({ link, lastSuccessAt, age, dueAt, failingSince, blocked, waiting = 0 }) => [
    link,
    lastSuccessAt === undefined ? 'never' : timeText(lastSuccessAt, now),
    age === undefined ? '' : spanText(age),
    dueAt === undefined ? '' : timeText(dueAt, now),
    failingSince === undefined ? '' : timeText(failingSince, now),
    ...(blocked === undefined ? [] : [blockedText(blocked, waiting)]),
  ])
  const header = ['link', 'last success', 'age', 'due', 'failing since']
  return tableLines([links.some(({ blocked }) => blocked) ? [...header, 'blocked'] : header, ...rows])
}

interface Check {
  readonly balances: readonly OutletBalance[]
  readonly since?: number
}

const BALANCE = [
  ...([
    'pulled',
    'replayed',
    'added',
    'filtered',
    'dropped',
    'dead',
    'delivered',
    'waiting',
    'held',
    'missing',
  ] as const),
]
const RARE: readonly (typeof BALANCE)[number][] = ['replayed', 'dead', 'waiting']

/** Lines that tell whether records are accounted for. */
export function balanceLines({ balances, since }: Check, now: number): string[] {
  if (balances.length === 0) return ['no records']
  // what only links with delivery have is shown where there is some
  const columns = BALANCE.filter((name) => !RARE.includes(name) || balances.some((one) => one[name] !== 0))
  const rows = balances.map((one) => [one.link, one.outlet, ...columns.map((name) => String(one[name]))])
  const header = ['link', 'outlet', ...columns]
  const from = since === undefined ? '' : `, since ${timeText(since, now)}`
  const wrong = balances.filter(({ missing }) => missing !== 0).length
  const end = wrong === 0 ? 'all records are accounted for' : `${counted(wrong, 'outlet')} out of balance`
  return [...tableLines([header, ...rows]), '', `${end}${from}`]
}

/** What does not balance, in words. */
export function problemsOf(balances: readonly OutletBalance[]): string[] {
  return balances.flatMap(({ link, outlet, missing }) => {
    if (missing === 0) return []
    const what =
      missing > 0
        ? `${counted(missing, 'record')} missing: held by a buffer whose process or thread was lost`
        : `${counted(-missing, 'record')} more went out than came in`
    return [`${link}, ${outlet}: ${what}`]
  })
}
