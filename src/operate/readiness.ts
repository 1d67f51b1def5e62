import { LinkModuleError } from '../base/errors.js'
import type { LinkReading } from './planner-reading.js'
import type { ObservedPlanner } from './service.js'

/** Whether a planner is ready, and a text that says why not, or what else there is to say. */
export interface Readiness {
  readonly ready: boolean
  readonly text: string
}

/** Most names of links in the text. */
const MOST_NAMES = 10

/**
 * Tells whether a planner is ready: it has started, does not stop, and all modules of its links could be loaded. A paused one is
 * ready, and so is one with links that could not be started for another reason, as they are tried again: the text names them.
 */
export function readinessOf(planner: Pick<ObservedPlanner, 'state' | 'paused' | 'unstarted' | 'reading'>): Readiness {
  const { state, paused } = planner
  if (state !== 'running') return { ready: false, text: `not ready: ${state === 'idle' ? 'stopped' : state}` }
  // to read all links takes longer, and there is a reason to hardly ever
  const unstarted = planner.unstarted.length === 0 ? [] : planner.reading().links.filter(isUnstarted)
  const broken = unstarted.filter(({ startFailure }) => startFailure === LinkModuleError.code)
  if (broken.length > 0) return { ready: false, text: `not ready: modules cannot be loaded, of ${namesOf(broken)}` }
  const notes = [
    ...(paused ? ['paused'] : []),
    ...(unstarted.length > 0 ? [`not started, and tried again: ${namesOf(unstarted)}`] : []),
  ]
  return { ready: true, text: ['ready', ...notes].join('; ') }
}

function isUnstarted({ startFailure }: LinkReading): boolean {
  return startFailure !== undefined
}

function namesOf(links: readonly LinkReading[]): string {
  const names = links.slice(0, MOST_NAMES).map(({ link }) => link)
  const more = links.length - names.length
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
