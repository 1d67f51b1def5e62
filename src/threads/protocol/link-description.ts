import type { Lane } from '../../core/link-options.js'
import type { PlannedLink } from '../../core/planned-link.js'

/*
 * The messages between the main thread and a worker thread. Both sides import this file and nothing of each other.
 *
 *   main --> thread   tasks, through the Piscina pool: each is one call of `workers/transfer.ts`
 *   main --> thread   notes, through the thread's channel: what must not wait behind tasks
 *   thread --> main   events, through the thread's channel, in order: logs, reports, answers
 *
 * A task's own result is empty: what it has to say comes through the channel, in order with all else. That it settles
 * tells when the thread is done with it, or is gone.
 */

/** What a link module's link is, without the link: enough to plan and to host it. */
export interface LinkDescription extends Pick<
  PlannedLink,
  'name' | 'tags' | 'schedule' | 'immediateTransfer' | 'ignoreExceptions' | 'maxInstances'
> {
  /** URL of the link module. */
  readonly module: string
  /** Name of the export. */
  readonly exportName: string
  /** Position in the export when that is a list of links. */
  readonly index: number | undefined
  readonly stateless: boolean
  readonly lane: Lane
  /** The link as `Link.toString()` prints it. */
  readonly text: string
  /** Whether it has processors that may hold records back. */
  readonly buffers: boolean
  /** Classes of its nodes and stateful processors, in the order in which they hand over their state. */
  readonly parts: readonly string[]
  /** Whether its state can be handed over to another thread. */
  readonly movable: boolean
  /** Identifies the link itself, however many modules export it. */
  readonly identity: number
  /** Identifies the instances it uses: links that share one must be in the same thread. */
  readonly instances: readonly number[]
}

/** More instances than this are in no thread. */
export const INSTANCES = 2 ** 32

/** Which link of which module. */
export type LinkAddress = Pick<LinkDescription, 'module' | 'exportName' | 'index'>

/** How an exported link is called: `todos`, or `links[3]`. */
export function nameOf(exportName: string, index: number | undefined): string {
  return index === undefined ? exportName : `${exportName}[${index}]`
}
