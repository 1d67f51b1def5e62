const HOUR = 3_600_000

/** End of the part of a window that can be searched in a number of steps: an hour of it at least. */
export function shortened(from: number, to: number, steps: number, most: number): number {
  if (steps <= most) return to
  return Math.min(to, from + Math.max(1, Math.floor((((to - from) / HOUR) * most) / steps)) * HOUR)
}
