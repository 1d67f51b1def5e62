import type { LinkInspection } from '../../planners/link-inspection.js'
import { scheduleText } from '../../core/schedule.js'
import { nextDue, tableLines, timeText } from './link-text.js'

type InspectedLink = LinkInspection['links'][number]

/** Link of a link module as `databay list` and `databay check` tell it. Lengths of time are in milliseconds. */
export interface LinkInfo {
  readonly id: string
  readonly tags: readonly string[]
  /** URL of the link module. */
  readonly module: string
  /** Schedule in words. */
  readonly schedule: string
  /** First due time that counts from now, without its jitter, in ISO 8601. */
  readonly nextDue: string
  /** Whether the link transfers on start, too. */
  readonly immediateTransfer: boolean
  /** Classes of the inlets, stateful processors and outlets. */
  readonly inlets: readonly string[]
  readonly processors: readonly string[]
  readonly outlets: readonly string[]
  readonly lane: 'io' | 'cpu' | 'auto'
  readonly stateless: boolean
  readonly maxInstances: number
}

/** What there is to tell of a link. */
export function linkInfo({ description, schedule }: InspectedLink, now: number): LinkInfo {
  const { id, tags, module, settings, parts, nodes } = description
  const { immediateTransfer, lane, stateless, maxInstances } = settings
  const first = nodes.inlets + nodes.outlets
  return {
    id,
    tags,
    module,
    schedule: scheduleText(schedule),
    nextDue: new Date(nextDue(schedule, now)).toISOString(),
    immediateTransfer,
    inlets: parts.slice(0, nodes.inlets),
    processors: parts.slice(first),
    outlets: parts.slice(nodes.inlets, first),
    lane,
    stateless,
    maxInstances,
  }
}

/** Links as lines of a table. */
export function linkTable(links: readonly LinkInfo[], now: number): string[] {
  const rows = links.map(({ id, tags, schedule, nextDue, inlets, processors, outlets, lane }) => {
    const stages = [inlets, ...processors.map((one) => [one]), outlets]
    const nodes = stages.map((stage) => stage.join(', ')).join(' > ')
    return [id, tags.join(', '), schedule, timeText(Date.parse(nextDue), now), lane, nodes]
  })
  return tableLines([['link', 'tags', 'schedule', 'next due', 'lane', 'nodes'], ...rows])
}
