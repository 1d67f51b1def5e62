import type { LinkOverride } from '../core/link-overrides.js'
import type { Clock } from './clock/clock.js'
import type { LinkSelection } from '../core/link-selection.js'
import type { SchedulingFactory } from './scheduling.js'

/** Options of planners that are not public: for tests, benches and `databay tune`. */
export interface PlannerInternals {
  /** Clock that the planner's scheduling goes by. */
  readonly clock?: Clock
  /** Scheduling in place of the planner's own. */
  readonly scheduling?: SchedulingFactory
  /** Whether what fails in a shutdown is told by `finished`, also when the planner ignores exceptions. */
  readonly tellsShutdownErrors?: boolean
  /** Whether outlets are given nothing, so that it shows how long transfers take. Only of planners with threads. */
  readonly dryRun?: boolean
  /** Whether what links print in threads goes to standard error. Only of planners with threads. */
  readonly printsToError?: boolean
  /** Links of modules that belong to the planner. Default: all. Only of planners with threads. */
  readonly selection?: LinkSelection
  /** Settings that a configuration has for links. Default: none. */
  readonly overrides?: readonly LinkOverride[]
  /** Called in a start, when all links are started and before their first transfers. */
  readonly scheduled?: () => void
}

/** Key of the internals among a planner's options: no caller of the package can name it. */
const INTERNALS = Symbol('internals')

/** Options that carry internals. */
export function withInternals<Options extends object>(options: Options, internals: PlannerInternals): Options {
  return { ...options, [INTERNALS]: internals }
}

/** Internals that were given with options. */
export function internalsOf(options: object): PlannerInternals {
  return (options as { readonly [INTERNALS]?: PlannerInternals })[INTERNALS] ?? {}
}
