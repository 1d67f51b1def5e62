import { hostname } from 'node:os'
import { scrub } from '../../base/scrub.js'
import type { AlertChange, AlertKind } from './alert-states.js'

/** What is said of a trouble. */
export interface AlertDetail {
  /** What happened, in words: `3 transfers failed in a row`. */
  readonly what: string
  /** Message of the error, if there is one. */
  readonly message?: string
  /** Code of the error, if it has one. */
  readonly code?: string
  /** Node, processor or grouper that failed, and at which stage, where that is known. */
  readonly node?: string
  readonly stage?: string
}

/** One trouble that began or ended. */
export interface Alert {
  readonly status: 'trouble' | 'recovered'
  readonly kind: AlertKind
  /** Name of the link; left out for the planner as a whole. */
  readonly link?: string
  /** Tags of the link. */
  readonly tags: readonly string[]
  /** When the trouble began, in ISO 8601. */
  readonly since: string
  /** The alert in words, on one line. */
  readonly text: string
  /** Message of the last error. */
  readonly error?: string
  /** Code of the last error. */
  readonly code?: string
  /** What failed: an inlet, outlet, processor or grouper, as it names itself. */
  readonly node?: string
  /** Stage of the transfer that failed. */
  readonly stage?: string
}

/** Message about links that got into trouble, or are out of it. */
export interface AlertMessage {
  /** `recovered` when all of it is about troubles that ended. */
  readonly status: 'trouble' | 'recovered'
  /** What it is about, in some words. */
  readonly title: string
  /** All of it in words: a line for each alert. */
  readonly text: string
  /** When it was written, in ISO 8601. */
  readonly time: string
  /** Name of the machine. */
  readonly host: string
  /** Number of the process. */
  readonly pid: number
  readonly alerts: readonly Alert[]
  /** Messages before this one that were dropped, as they could not be delivered. Left out when there were none. */
  readonly dropped?: number
}

/** Most alerts that the text of a message names one by one. */
const SHOWN = 20

/** What a link is said to be when a trouble is over. */
const OVER: { readonly [kind in AlertKind]: string } = {
  failing: 'transfers again',
  blocked: 'is not blocked any more',
  notStarted: 'has started',
  quarantined: 'transfers again after its quarantine',
  late: 'is in time again',
  deadLetters: 'makes no more dead letters',
  stopped: 'runs again',
}

/**
 * Makes a message of changes.
 *
 * @param tagsOf - gives the tags of a link
 */
export function messageOf(
  changes: readonly AlertChange<AlertDetail>[],
  tagsOf: (link: string) => readonly string[],
  now: number,
): AlertMessage {
  const alerts = changes.map((change) => alertOf(change, change.link === '' ? [] : tagsOf(change.link)))
  const troubles = alerts.filter(({ status }) => status === 'trouble')
  const lines = alerts.slice(0, SHOWN).map(({ text }) => text)
  if (alerts.length > SHOWN) lines.push(`and ${alerts.length - SHOWN} more`)
  const status = troubles.length > 0 ? 'trouble' : 'recovered'
  const about = troubles.length > 0 ? troubles : alerts
  const [first] = about
  const more = about.length > 1 ? `, and ${about.length - 1} more` : ''
  const title = `databay: ${first?.link ?? 'the planner'} ${status === 'trouble' ? 'is in trouble' : 'has recovered'}${more}`
  return {
    status,
    title,
    text: lines.join('\n'),
    time: new Date(now).toISOString(),
    host: hostname(),
    pid: process.pid,
    alerts,
  }
}

function alertOf(change: AlertChange<AlertDetail>, tags: readonly string[]): Alert {
  const { kind, link, isTrouble, since, until, times, detail } = change
  const name = link === '' ? 'the planner' : link
  const again = times > 1 ? ` (${times} times)` : ''
  const where = detail.node === undefined ? '' : `${detail.node} failed to ${String(detail.stage)}: `
  const why = detail.message === undefined ? '' : `: ${where}${detail.message.replaceAll(/\s*\n\s*/g, ' ')}`
  // before it is cut: a part of a secret would not be known
  const text = scrub(
    isTrouble ? `${name} ${detail.what}${again}${why}` : `${name} ${OVER[kind]} after ${lengthOf(until - since)}`,
  )
  return {
    status: isTrouble ? 'trouble' : 'recovered',
    kind,
    ...(link === '' ? {} : { link }),
    tags,
    since: new Date(since).toISOString(),
    text: text.length > 1000 ? `${text.slice(0, 1000)}\u2026` : text,
    ...(detail.message === undefined ? {} : { error: scrub(detail.message) }),
    ...(detail.code === undefined ? {} : { code: scrub(detail.code) }),
    ...(detail.node === undefined ? {} : { node: detail.node }),
    ...(detail.stage === undefined ? {} : { stage: detail.stage }),
  }
}

/** A length of time as people say it: `40 s`, `5 min`, `3 h`. */
function lengthOf(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}
