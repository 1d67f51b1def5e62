import { InvalidOptionError } from '../../base/errors.js'
import { hintAt } from '../../base/suggestion.js'
import type { LinkDurations } from '../../store/ledger/durations.js'
import type { LinkToPlan } from './planned.js'

/** How long a run of a link takes. */
export interface Duration {
  /** In milliseconds. */
  readonly took: number
  /** Time for which it holds its thread; `undefined` when that is not known. */
  readonly busy: number | undefined
  readonly source: 'ledger' | 'given'
  /** Number of runs that it was measured by; left out when it was given. */
  readonly runs?: number
}

/** A duration that the command line gives: of one link, or of all that have no other one. */
export interface GivenDuration {
  readonly link: string | undefined
  /** In milliseconds. */
  readonly took: number
}

const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }

/** Reads `1.5s`, or `orders=1.5s` for the link `orders`. */
export function checkDuration(option: string, text: string): GivenDuration {
  const [, link, number, unit = ''] = /^(?:(.+)=)?(\d+(?:\.\d+)?) ?(ms|s|min|h)$/s.exec(text) ?? []
  const took = Number(number) * (UNITS[unit] ?? 0)
  if (number === undefined || !(took > 0)) {
    throw new InvalidOptionError(
      option,
      'a length of time such as 200ms, 1.5s or 2min, or LINK=1.5s for one link',
      text,
    )
  }
  return { link, took }
}

/**
 * How long runs of the links take: as it is given, else as it was measured.
 *
 * @throws {@link InvalidOptionError} when a duration is given for a link that is not there
 */
export function durationsOf(
  links: readonly LinkToPlan[],
  given: readonly GivenDuration[],
  measured: ReadonlyMap<string, LinkDurations>,
): Map<string, Duration> {
  const ids = new Set(links.map(({ id }) => id))
  for (const { link } of given) {
    if (link === undefined || ids.has(link)) continue
    throw new InvalidOptionError('--duration', 'a duration of a link that is there', link, {
      hint: hintAt(link, [...ids]),
    })
  }
  const ofLink = new Map(given.map(({ link, took }) => [link, took]))
  const durations = new Map<string, Duration>()
  for (const id of ids) {
    const took = ofLink.get(id) ?? ofLink.get(undefined)
    const known = measured.get(id)
    if (took !== undefined) durations.set(id, { took, busy: undefined, source: 'given' })
    else if (known !== undefined) durations.set(id, { ...known, source: 'ledger' })
  }
  return durations
}
