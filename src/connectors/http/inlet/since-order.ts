const INTEGER = /^-?\d+$/

/** Time of ISO 8601: a day, perhaps with a time, a fraction of its second, and a zone. */
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d+))?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i

/**
 * Which of two values comes first: less than 0, 0, or more. Numbers, whole numbers as text, and times of ISO 8601 have an
 * order; of others it is `undefined`, as only their server knows it.
 */
export function compareValues(one: unknown, other: unknown): number | undefined {
  if (one === other) return 0
  if (typeof one === 'number' && typeof other === 'number') return one - other
  if (typeof one !== 'string' || typeof other !== 'string') return undefined
  if (INTEGER.test(one) && INTEGER.test(other)) return order(BigInt(one), BigInt(other))
  const [time, otherTime] = [timeOf(one), timeOf(other)]
  if (time === undefined || otherTime === undefined) return undefined
  return time.second - otherTime.second || order(time.fraction, otherTime.fraction)
}

function order<V extends bigint | string>(one: V, other: V): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

/** Time of a text. Fractions may be finer than a millisecond, so they stay text. */
function timeOf(text: string): { readonly second: number; readonly fraction: string } | undefined {
  const [matched, day = '', clock = '00:00', fraction = '', zone = 'Z'] = TIME.exec(text) ?? []
  if (matched === undefined) return undefined
  const offset = /^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')
  const second = Date.parse(`${day}T${clock}${offset.toUpperCase()}`)
  return Number.isNaN(second) ? undefined : { second, fraction: fraction.replace(/0+$/, '') }
}
