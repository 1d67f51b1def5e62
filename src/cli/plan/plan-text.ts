import { counted } from '../../base/counted.js'
import { spanText } from '../ledger/ledger-text.js'
import { tableLines, timeText } from '../links/link-text.js'
import { shortNumber } from '../run/status-text.js'
import type { ClockChange } from './clock-changes.js'
import { curveOf } from './curve.js'
import type { LinkPlan, NamedPeak, Plan } from './plan.js'

const HOUR = 3_600_000
const MINUTE = 60_000
const DAY = 24 * HOUR
/** Most names of links, and of quiet stretches and clock changes, in a line or paragraph. */
const MOST_NAMES = 6
const MOST_LINES = 8

/** How a plan is shown. */
export interface PlanLook {
  /** Number of characters that there is room for. */
  readonly width: number
  /** Most links in the table. */
  readonly limit: number
  /** Where durations come from: folder of the store that was read. */
  readonly store: string | undefined
  readonly cores: number
}

/** Lines that tell a plan. */
export function planLines(plan: Plan, look: PlanLook): string[] {
  const { links, from, to, runs } = plan
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const what = `${counted(links.length, 'link')}, ${countText(runs, 'run')}`
  if (links.length === 0) return ['no links']
  return [
    `${lengthText(to - from)} from ${dateText(from)} to ${dateText(to)} (${zone}): ${what}`,
    '',
    ...linkLines(plan, look.limit),
    '',
    ...curveLines(plan, look.width),
    '',
    ...tableLines(
      [
        ...rows('most due', peakTexts(plan)),
        ...rows('quiet', quietTexts(plan)),
        ...rows('clock change', changeTexts(plan)),
        ...rows('overlaps', overlapTexts(plan)),
        ...rows('threads', threadTexts(plan, look)),
        ...rows('durations', durationTexts(plan, look)),
      ].map(([name = '', text = '']) => [name, text]),
    ),
  ]
}

function rows(name: string, texts: readonly string[]): string[][] {
  return texts.map((text, index) => [index === 0 ? name : '', text])
}

function linkLines({ links, from }: Plan, limit: number): string[] {
  const isTimed = links.some(({ duration }) => duration !== undefined)
  const shown = [...links].sort((a, b) => b.runs - a.runs).slice(0, limit)
  const table = links
    .filter((link) => links.length <= limit || shown.includes(link))
    .map((link) => [
      link.id,
      link.schedule,
      link.runs.toLocaleString('en-US'),
      firstText(link, from),
      link.last === undefined ? '' : timeText(link.last, from),
      ...(isTimed ? [tookText(link), skippedText(link)] : []),
    ])
  const header = ['link', 'schedule', 'runs', 'first', 'last', ...(isTimed ? ['takes', 'skipped'] : [])]
  const more = links.length - table.length
  return [
    ...tableLines([header, ...table]),
    ...(more > 0 ? [`${counted(more, 'link')} with fewer runs: see --limit`] : []),
  ]
}

function firstText({ first, next, atStart, jitter }: LinkPlan, from: number): string {
  if (atStart) return 'at the start'
  if (first === undefined) return next === undefined ? 'never' : `not in it, next ${timeText(next, from)}`
  return timeText(first, from) + (jitter === 0 ? '' : ` to ${timeText(first + jitter, from)}`)
}

function tookText({ duration }: LinkPlan): string {
  return duration === undefined ? 'unknown' : spanText(duration.took)
}

function skippedText({ skipped, overlapping = 0 }: LinkPlan): string {
  if (skipped === undefined) return ''
  return skipped.toLocaleString('en-US') + (overlapping > 0 ? `, ${overlapping.toLocaleString('en-US')} overlap` : '')
}

function curveLines({ counts, from, to }: Plan, width: number): string[] {
  const { line, scale, minutes, most } = curveOf(counts, width, (time) =>
    to - from > 2 * DAY ? dateText(time).slice(5, 10) : dateText(time).slice(11, 16),
  )
  const each = spanText(minutes * MINUTE)
  const highest = minutes === 1 ? shortNumber(most) : `${shortNumber(most / minutes)} a minute`
  return [`runs per minute: a column is ${each}, the highest ${highest}`, line, scale]
}

function peakTexts({ peaks, peaksUpTo, from, to }: Plan): string[] {
  if (peaks.length === 0) return ['nothing is due']
  const several = peaks.filter(({ links }) => links > 1)
  const texts = (several.length > 0 ? several : peaks).map((peak) => peakText(peak, from))
  return peaksUpTo < to ? [...texts, `looked for up to ${dateText(peaksUpTo)}, as there are so many runs`] : texts
}

function peakText({ links, at, times, names }: NamedPeak, from: number): string {
  const often = times === 1 ? 'once' : `${times.toLocaleString('en-US')} times, first`
  return `${counted(links, 'link')} in one second, ${often} at ${timeText(at, from)}: ${someOf(names)}`
}

function quietTexts({ quiet, from }: Plan): string[] {
  if (quiet.length === 0) return ['no hour without a run']
  const texts = quiet
    .slice(0, MOST_LINES)
    .map((one) => `${timeText(one.from, from)} to ${timeText(one.to, from)} (${lengthText(one.to - one.from)})`)
  return [...texts, ...moreOf(quiet.length - MOST_LINES, 'more of an hour or longer')]
}

function changeTexts({ changes }: Plan): string[] {
  if (changes.length === 0) return ['none that a link has to do with']
  return [...changes.slice(0, MOST_LINES).map(changeText), ...moreOf(changes.length - MOST_LINES, 'more')]
}

function changeText({ at, timeZone, before, after, effect, times, first, links }: ClockChange): string {
  const zone = timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  const local = (time: number) => new Date(time).toISOString()
  const clock = (time: number) => local(time).slice(11, 16)
  const [start, end] = [
    local(at + before)
      .slice(0, 16)
      .replace('T', ' '),
    clock(at + after),
  ]
  const which = times === 1 ? `the run of ${clock(first)}` : `${countText(times, 'run')} from ${clock(first)} on`
  const effects = {
    moved: times === 1 ? `${which} comes at ${end}` : `of ${which}, one comes, at ${end}`,
    leftOut: `${which} ${times === 1 ? 'is' : 'are'} left out`,
    twice: `${which} ${times === 1 ? 'comes' : 'come'} twice`,
    once: `${which} ${times === 1 ? 'comes' : 'come'} once, in the first pass`,
  }
  return `${start} becomes ${end} in ${zone}: ${effects[effect]}: ${someOf(links)}`
}

function overlapTexts({ threads, links, from, to, skipsUpTo }: Plan): string[] {
  if (threads === undefined) return ['unknown, as no duration is known']
  const { most, names } = threads
  const both = `${most.computing} that compute, ${most.waiting} that wait`
  const atOnce = `most runs at once: ${most.computing + most.waiting} (${both}), at ${timeText(most.at, from)}: ${someOf(names)}`
  const late = links.filter(({ skipped = 0 }) => skipped > 0)
  const skipped = late.reduce((sum, one) => sum + (one.skipped ?? 0), 0)
  const which = someOf(late.map(({ id }) => id))
  const skips =
    skipped === 0
      ? 'no run is skipped as the one before still runs'
      : `${countText(skipped, 'run')} skipped, as those before still run: ${which}`
  return [atOnce, skips + (skipsUpTo < to ? ` (up to ${dateText(skipsUpTo)}, as there are so many runs)` : '')]
}

function threadTexts({ threads, from, to }: Plan, { cores }: PlanLook): string[] {
  if (threads === undefined) return ['unknown: see durations']
  const { needed, neededAt, average, upTo, unknownShare } = threads
  const { computing, waiting, load } = neededAt
  const parts = [
    ...(computing > 0
      ? [`${computing} for ${counted(computing, 'run')} that compute${computing === 1 ? 's' : ''}`]
      : []),
    ...(waiting > 0
      ? [
          `${needed - computing} for ${counted(waiting, 'run')} that wait${waiting === 1 ? 's and holds' : ' and hold'} ${percent(load)} of one`,
        ]
      : []),
  ]
  return [
    `${needed}, at ${timeText(neededAt.at, from)}: ${parts.join(', ')}; this machine has ${counted(cores, 'core')}`,
    `on average, runs hold ${percent(average)} of one thread`,
    ...(unknownShare > 0
      ? [`${counted(unknownShare, 'link')} without a lane and a measured run taken for waiting`]
      : []),
    ...(upTo < to ? [`looked at up to ${dateText(upTo)}, as there are so many runs`] : []),
  ]
}

function durationTexts({ links }: Plan, { store }: PlanLook): string[] {
  const of = (source: string) => links.filter(({ duration }) => duration?.source === source).length
  const [measured, given] = [of('ledger'), of('given')]
  const unknown = links.filter(({ duration }) => duration === undefined)
  return [
    ...(measured > 0
      ? [`of ${counted(measured, 'link')} from the ledger in ${store}: what 95 of 100 runs did not exceed`]
      : []),
    ...(given > 0 ? [`of ${counted(given, 'link')} from --duration`] : []),
    ...(unknown.length > 0
      ? [`unknown of ${someOf(unknown.map(({ id }) => id))}: run them with --store, or give --duration`]
      : []),
  ]
}

function moreOf(count: number, what: string): string[] {
  return count > 0 ? [`and ${count.toLocaleString('en-US')} ${what}`] : []
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ')
  return names.length > MOST_NAMES ? `${shown} and ${(names.length - MOST_NAMES).toLocaleString('en-US')} more` : shown
}

function countText(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}

function percent(share: number): string {
  return `${share > 0 && share < 0.001 ? '<0.1' : Number((share * 100).toFixed(1))} %`
}

function dateText(time: number): string {
  return timeText(time, Number.NaN)
}

function lengthText(milliseconds: number): string {
  return `${Number((milliseconds / HOUR).toFixed(2)).toLocaleString('en-US')} h`
}
