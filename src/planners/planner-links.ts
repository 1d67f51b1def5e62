import type { PlannedLink } from '../core/planned-link.js'

/** Whether `value` can be given to a planner. */
export function isPlannedLink(value: unknown): value is PlannedLink {
  return (
    typeof value === 'object' &&
    value !== null &&
    'transfer' in value &&
    'onStart' in value &&
    'onShutdown' in value &&
    'schedule' in value
  )
}
