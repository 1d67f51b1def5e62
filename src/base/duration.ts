import { InvalidOptionError } from './errors.js'
import { hintAt } from './suggestion.js'

/** A length of time. The fields add up: `{ minutes: 1, seconds: 30 }` is 90 seconds. */
export interface Duration {
  readonly milliseconds?: number
  readonly seconds?: number
  readonly minutes?: number
  readonly hours?: number
  readonly days?: number
  readonly weeks?: number
}

/** The longest time that a timer of Node can be set to, in milliseconds: a longer one fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

const MILLISECONDS = {
  milliseconds: 1,
  seconds: 1000,
  minutes: 60_000,
  hours: 3_600_000,
  days: 86_400_000,
  weeks: 604_800_000,
} as const

const UNITS = Object.keys(MILLISECONDS) as (keyof Duration)[]

/**
 * Milliseconds of an interval given as a number of seconds or as a {@link Duration}.
 *
 * @param option - name of the option, for the error
 * @throws {@link InvalidOptionError} unless it is at least 1 ms and finite
 */
export function toMilliseconds(option: string, value: number | Duration): number {
  const expected = 'a number of seconds or a duration like { minutes: 5 }, of at least 1 ms'
  const milliseconds = typeof value === 'number' ? value * 1000 : sumOfUnits(option, value, expected)
  if (!Number.isFinite(milliseconds) || milliseconds < 1) throw new InvalidOptionError(option, expected, value)
  return milliseconds
}

function sumOfUnits(option: string, value: Duration, expected: string): number {
  if (typeof value !== 'object' || (value as unknown) === null || Array.isArray(value)) {
    throw new InvalidOptionError(option, expected, value)
  }
  const entries = Object.entries(value) as [keyof Duration, unknown][]
  if (entries.length === 0) throw new InvalidOptionError(option, expected, value)
  let sum = 0
  for (const [unit, amount] of entries) {
    if (!UNITS.includes(unit)) {
      throw new InvalidOptionError(`${option}.${unit}`, `one of ${UNITS.join(', ')}`, unit, {
        hint: hintAt(unit, UNITS),
      })
    }
    if (typeof amount !== 'number' || !Number.isFinite(amount) || amount < 0) {
      throw new InvalidOptionError(`${option}.${unit}`, 'a number of at least 0', amount)
    }
    sum += amount * MILLISECONDS[unit]
  }
  return sum
}
