/** What a planner tells of its readiness. */
export interface Readable {
  readonly state: 'idle' | 'starting' | 'running' | 'stopping'
  readonly paused: boolean
  /** Links that could not be started, and are tried again. */
  readonly unstarted: readonly UnstartedLink[]
}

/** A link that could not be started. */
export interface UnstartedLink {
  /** Name of the link. */
  readonly link: string
  /** Whether its module could not be loaded. */
  readonly ofModule: boolean
}

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
export function readinessOf({ state, paused, unstarted }: Readable): Readiness {
  if (state !== 'running') return { ready: false, text: `not ready: ${state === 'idle' ? 'stopped' : state}` }
  const broken = unstarted.filter(({ ofModule }) => ofModule)
  if (broken.length > 0) return { ready: false, text: `not ready: modules cannot be loaded, of ${namesOf(broken)}` }
  const notes = [
    ...(paused ? ['paused'] : []),
    ...(unstarted.length > 0 ? [`not started, and tried again: ${namesOf(unstarted)}`] : []),
  ]
  return { ready: true, text: ['ready', ...notes].join('; ') }
}

function namesOf(links: readonly UnstartedLink[]): string {
  const names = links.slice(0, MOST_NAMES).map(({ link }) => link)
  const more = links.length - names.length
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
