import { counted } from '../../base/counted.js'
import { printable } from '../../base/printable.js'
import { isTrouble, LINK_STATES, type LinkStatus } from '../../operate/control/link-status.js'
import { tableLines } from '../links/link-text.js'
import { shortNumber } from '../run/status-text.js'
import { agoText, inText, lengthText } from './times.js'

/** Most links that the table shows, unless some are named. */
export const SHOWN = 200

interface Column {
  readonly title: string
  readonly cell: (link: LinkStatus, now: number) => string
  /** Whether the column is left out when all its cells are empty. */
  readonly optional?: boolean
}

const COLUMNS: readonly Column[] = [
  { title: 'link', cell: ({ link }) => link },
  { title: 'state', cell: stateText },
  { title: 'last', cell: lastText },
  { title: 'next', cell: ({ nextDueAt }, now) => (nextDueAt === undefined ? '' : inText(nextDueAt, now)) },
  { title: 'pulled', cell: ({ pulled }) => shortNumber(pulled) },
  { title: 'pushed', cell: ({ pushed }) => shortNumber(pushed) },
  { title: 'buffered', cell: ({ buffered }) => numberText(buffered), optional: true },
  { title: 'waiting', cell: ({ waiting }) => numberText(waiting), optional: true },
  { title: 'dead', cell: ({ dead }) => numberText(dead), optional: true },
  { title: 'late p99', cell: ({ latenessP99, transfers }) => (transfers === 0 ? '' : lengthText(latenessP99)) },
]

/** Links in the order in which somebody should look at them. */
export function byUrgency(links: readonly LinkStatus[]): LinkStatus[] {
  const rank = ({ state }: LinkStatus) => {
    const at = LINK_STATES.indexOf(state)
    return isTrouble(state) || state === 'paused' ? at : LINK_STATES.length
  }
  return links.toSorted((one, other) => rank(one) - rank(other))
}

/**
 * Links as lines of a table, and what is wrong with some below it.
 *
 * @param color - whether links with trouble, and paused ones, have a colour
 */
export function statusTable(links: readonly LinkStatus[], now: number, color: boolean): string[] {
  if (links.length === 0) return []
  const columns = COLUMNS.filter(
    ({ cell, optional }) => optional !== true || links.some((link) => cell(link, now) !== ''),
  )
  const rows = links.map((link) => columns.map(({ cell }) => printable(cell(link, now))))
  const [header = '', ...lines] = tableLines([columns.map(({ title }) => title), ...rows])
  const troubles = links.flatMap((link) => (link.trouble === undefined ? [] : [troubleText(link, now)]))
  return [
    header,
    ...lines.map((line, at) => (color ? colored(line, links[at]) : line)),
    ...(troubles.length === 0 ? [] : ['', ...troubles]),
  ]
}

/** What is wrong with a link: `orders: MongoOutlet failed to push: connect ECONNREFUSED 127.0.0.1:1 (6 times, for 3 min)`. */
function troubleText({ link, trouble = '', failures, since }: LinkStatus, now: number): string {
  const times = failures === undefined || failures < 2 ? [] : [counted(failures, 'time')]
  const long = since === undefined ? [] : [`for ${lengthText(now - since)}`]
  const how = [...times, ...long].join(', ')
  return printable(`${link}: ${trouble}${how === '' ? '' : ` (${how})`}`)
}

function stateText({ state, failures = 0, paused }: LinkStatus): string {
  const text =
    state === 'starting' ? 'not started' : state === 'failing' && failures > 1 ? `failing, ${failures} in a row` : state
  return paused && state !== 'paused' ? `${text}, paused` : text
}

function lastText({ last }: LinkStatus, now: number): string {
  if (last === undefined) return ''
  return `${last.failed ? 'failed' : 'ok'} ${agoText(last.endedAt, now)}, took ${lengthText(last.duration)}`
}

function numberText(count: number): string {
  return count === 0 ? '' : shortNumber(count)
}

function colored(line: string, link: LinkStatus | undefined): string {
  if (link === undefined) return line
  const code = isTrouble(link.state) ? 31 : link.paused ? 33 : undefined
  return code === undefined ? line : `\u001b[${code}m${line}\u001b[39m`
}
