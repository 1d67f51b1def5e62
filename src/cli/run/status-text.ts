import { counted } from '../../base/counted.js'

/** Status of a run. */
export interface Status {
  readonly links: number
  readonly transfers: number
  /** Number of records pulled so far by transfers that stream; left out when none does. */
  readonly recordsSoFar?: number
  /** Records pulled per second. */
  readonly recordsPerSecond: number
  readonly late: number
  readonly skipped: number
  readonly failed: number
  /** Number of links that could not be started, and are tried again. */
  readonly unstarted?: number
  /** Number of links that are blocked, and of records that wait in them; left out when there are none. */
  readonly blocked?: number
  readonly waiting?: number
  /** Number of dead letters; left out when there are none. */
  readonly dead?: number
  /** Names of the links whose transfers the end of the run waits for. */
  readonly waitsFor?: readonly string[]
  readonly busyThreads: number
  readonly threads: number
  /** Phase of the run, unless it is running. */
  readonly phase?: 'starting' | 'stopping' | undefined
}

/** Look of a status. */
export interface StatusLook {
  /**
   * Number of characters that there is room for. A longer text is cut.
   * @default Infinity
   */
  readonly width?: number
  /**
   * Whether the text has colours.
   * @default false
   */
  readonly color?: boolean
}

type Color = 'red' | 'yellow' | 'cyan'

interface Part {
  readonly text: string
  readonly color?: Color | undefined
}

const CODES: { readonly [color in Color]: number } = { red: 31, yellow: 33, cyan: 36 }
/** Most names of links that a status shows. */
const MOST_NAMES = 3
const SEPARATOR: Part = { text: ' | ' }

/** A status on one line: `4 links | 120 transfers | 3.2k records/s | 0 late | 0 skipped | 2/2 threads busy`. */
export function statusText(status: Status, look: StatusLook = {}): string {
  const { width = Infinity, color = false } = look
  const parts = cut(
    partsOf(status).flatMap((part, index) => (index === 0 ? [part] : [SEPARATOR, part])),
    width,
  )
  return parts.map((part) => (color ? colored(part) : part.text)).join('')
}

function partsOf(status: Status): Part[] {
  return [
    ...(status.phase === undefined ? [] : [{ text: status.phase, color: 'cyan' as const }]),
    ...(status.waitsFor?.length ? [{ text: `waiting for ${someOf(status.waitsFor)}`, color: 'cyan' as const }] : []),
    { text: counted(status.links, 'link') },
    ...(status.unstarted ? [{ text: `${status.unstarted} not started`, color: 'red' as const }] : []),
    ...(status.blocked ? [{ text: blockedText(status.blocked, status.waiting), color: 'red' as const }] : []),
    { text: counted(status.transfers, 'transfer') },
    ...(status.recordsSoFar === undefined ? [] : [{ text: `${shortNumber(status.recordsSoFar)} records so far` }]),
    { text: `${shortNumber(status.recordsPerSecond)} records/s` },
    { text: `${status.late} late`, color: status.late > 0 ? 'yellow' : undefined },
    { text: `${status.skipped} skipped`, color: status.skipped > 0 ? 'yellow' : undefined },
    // failures are shown only when there are any
    ...(status.failed > 0 ? [{ text: `${status.failed} failed`, color: 'red' as const }] : []),
    ...(status.dead ? [{ text: counted(status.dead, 'dead letter'), color: 'red' as const }] : []),
    { text: `${status.busyThreads}/${status.threads} threads busy` },
  ]
}

/** How many links are blocked, and how many records wait: `2 blocked, 50 records wait`. */
export function blockedText(blocked: number, waiting = 0): string {
  return waiting === 0 ? `${blocked} blocked` : `${blocked} blocked, ${counted(waiting, 'record')} waiting`
}

/** The first of some names, and the number of the others. */
function someOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ')
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown
}

/** The parts that fit in `width` characters, with `…` at the end if something was cut. */
function cut(parts: readonly Part[], width: number): Part[] {
  const length = parts.reduce((sum, { text }) => sum + text.length, 0)
  if (length <= width) return [...parts]
  if (width < 1) return []
  let left = width - 1
  const kept = parts.map((part) => {
    const text = part.text.slice(0, left)
    left -= text.length
    return { ...part, text }
  })
  return [...kept.filter(({ text }) => text !== ''), { text: '…' }]
}

function colored({ text, color }: Part): string {
  return color === undefined ? text : `\u001b[${CODES[color]}m${text}\u001b[39m`
}

/** A number in few characters: `0.4`, `17`, `3.2k`, `1.5M`. */
export function shortNumber(value: number): string {
  let rest = value
  for (const unit of ['', 'k', 'M', 'G']) {
    if (rest < 999.5)
      return `${rest.toFixed(rest < 9.95 || (unit !== '' && rest < 99.95) ? 1 : 0).replace('.0', '')}${unit}`
    rest /= 1000
  }
  return `${Math.round(rest)}T`
}
