const UNITS = [
  ['day', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** A length of time as a person says it, rounded: `84 ms`, `1.2 s`, `12 s`, `3 min`, `5 h`, `2 days`. */
export function lengthText(milliseconds: number): string {
  const length = Math.max(0, milliseconds)
  // what rounds to a whole of the next unit is one of it
  const [unit, size] = UNITS.find(([unit, size]) => length >= (unit === 'ms' ? 1 : size * 0.9995)) ?? ['ms', 1]
  const count = length / size
  const text = count < 9.95 && unit !== 'ms' ? count.toFixed(1).replace('.0', '') : count.toFixed(0)
  return `${text} ${unit}${unit === 'day' && text !== '1' ? 's' : ''}`
}

/** A time in the past: `12 s ago`. */
export function agoText(time: number, now: number): string {
  return now - time < 1000 ? 'just now' : `${lengthText(now - time)} ago`
}

/** A time to come: `in 12 s`; `now` when it has come. */
export function inText(time: number, now: number): string {
  return time <= now ? 'now' : `in ${lengthText(time - now)}`
}
