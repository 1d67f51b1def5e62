/** Day of ISO 8601: of four digits, or as JavaScript writes years that have more. */
const DAY = /(?<year>\d{4}|[+-]\d{6})-(?<month>\d\d)-(?<day>\d\d)/

const TIME = /(?<hour>\d\d)(?::(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?)?/

/** The same without separators. */
const BASIC_DAY = /(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)/

const BASIC_TIME = /(?<hour>\d\d)(?:(?<minute>\d\d)(?:(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?)?/

/** Time zone: databases write hours alone, or a name of UTC, and some leave a space before it. */
const ZONE = / ?(?<zone>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)/

const FORMATS = [
  new RegExp(`^${DAY.source}(?:[Tt ]${TIME.source}(?:${ZONE.source})?)?$`),
  new RegExp(`^${BASIC_DAY.source}(?:[Tt]${BASIC_TIME.source}(?:${ZONE.source})?)?$`),
]

/**
 * Date of a text of ISO 8601; `undefined` when it is none. Without a time zone it is UTC, so that it means the same on
 * every machine. What follows the milliseconds is cut off.
 */
export function isoDate(text: string): Date | undefined {
  const found = FORMATS.map((format) => format.exec(text)?.groups).find((groups) => groups !== undefined)
  if (found === undefined) return undefined
  const { year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z' } = found
  const date = `${year}-${month}-${day}`
  const midnight = new Date(`${date}T00:00Z`)
  // JavaScript takes the 31st of February for the 2nd of March
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(date)) return undefined
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0')
  const read = new Date(`${date}T${hour}:${minute}:${second}.${milliseconds}${offset(zone)}`)
  return Number.isNaN(read.getTime()) ? undefined : read
}

function offset(zone: string): string {
  if (/^[a-z]/i.test(zone)) return 'Z'
  const digits = zone.slice(1).replace(':', '')
  return `${zone.slice(0, 1)}${digits.slice(0, 2)}:${digits.slice(2).padEnd(2, '0')}`
}
