import type { Cron } from 'croner'
import { InvalidOptionError, toError } from '../base/errors.js'
import { lazy } from '../base/libraries.js'

const croner = lazy<typeof import('croner')>('croner')

/** A field of a cron expression. */
interface Field {
  readonly name: string
  readonly least: number
  readonly most: number
  /** Unit of an interval that says what a step beyond the range was meant to say. */
  readonly unit: string | undefined
  /** Names of the values, from the least on. */
  readonly names?: readonly string[]
  /** Every value of the field, in other words than `*`. */
  readonly all?: RegExp
}

const DAY_OF_MONTH: Field = { name: 'days of the month', least: 1, most: 31, unit: 'days', all: /^1-31$/ }
const MONTH: Field = {
  name: 'months',
  least: 1,
  most: 12,
  unit: undefined,
  names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
}
const DAY_OF_WEEK: Field = {
  name: 'days of the week',
  least: 0,
  most: 7,
  unit: 'days',
  names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
  all: /^(0-[67]|1-7|sun-sat|mon-sun)$/i,
}

/** Fields of an expression that has one for seconds. */
const FIELDS: readonly Field[] = [
  { name: 'seconds', least: 0, most: 59, unit: 'seconds' },
  { name: 'minutes', least: 0, most: 59, unit: 'minutes' },
  { name: 'hours', least: 0, most: 23, unit: 'hours' },
  DAY_OF_MONTH,
  MONTH,
  DAY_OF_WEEK,
]

/** Expressions for the nicknames that other crons know. */
const NICKNAMES: { readonly [nickname: string]: string } = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const EXPECTED = "a cron expression of five or six fields like '*/5 * * * * *'"

/**
 * A cron expression. It knows the time of a clock on the wall only, not where it hangs: local times come in and go out as
 * milliseconds since 1970, as if they were UTC.
 *
 * A pattern takes 70 kB, so it is made for each use: that takes 30 us.
 */
export class CronPattern {
  /** Whether the times of an hour that comes twice come twice: minutes or hours begin with `*`. */
  readonly keepsPace: boolean
  readonly #cron: Cron

  /** @throws {@link InvalidOptionError} on an expression that is none */
  constructor(cron: string) {
    const fields = fieldsOf(cron)
    try {
      const patterns = fields.map((text, index) => patternOf(cron, text, FIELDS[index] as Field))
      const [, minutes = '', hours = '', days = '', , weekdays = ''] = patterns
      this.keepsPace = minutes.startsWith('*') || hours.startsWith('*')
      this.#cron = new (croner().Cron)(patterns.join(' '), {
        utcOffset: 0,
        // two fields that name days give the days of either, but for one that names all
        domAndDow: isAll(days, DAY_OF_MONTH) || isAll(weekdays, DAY_OF_WEEK),
      })
    } catch (thrown) {
      if (thrown instanceof InvalidOptionError) throw thrown
      const cause = toError(thrown)
      throw new InvalidOptionError('cron', `${EXPECTED} (${cause.message.replace(/^CronPattern: /, '')})`, cron, {
        cause,
      })
    }
  }

  /** First local time after a local time; `Infinity` when there is none in the next centuries. */
  after(local: number): number {
    return this.#cron.nextRun(new Date(local))?.getTime() ?? Infinity
  }
}

/**
 * Checks a cron expression and its time zone.
 *
 * @throws {@link InvalidOptionError} on an expression of other than five or six fields, one with a step beyond the range of
 * its field, or one that never comes
 */
export function checkCron(cron: string, timeZone: string | undefined): void {
  const pattern = new CronPattern(cron)
  if (timeZone !== undefined) checkTimeZone(timeZone)
  if (pattern.after(Date.now()) === Infinity) {
    throw new InvalidOptionError('cron', `${EXPECTED}, for a date that there is`, cron)
  }
}

function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
  } catch (cause) {
    throw new InvalidOptionError('timeZone', "an IANA time zone like 'Europe/Amsterdam'", timeZone, { cause })
  }
}

/** The six fields of an expression. */
function fieldsOf(cron: string): string[] {
  const fields = typeof cron === 'string' ? cron.trim().split(/\s+/) : []
  if (fields.length === 6) return fields
  if (fields.length === 5) return ['0', ...fields]
  const nickname = NICKNAMES[String(fields[0]).toLowerCase()]
  const hint = nickname === undefined ? undefined : `write '${nickname}'`
  throw new InvalidOptionError('cron', EXPECTED, cron, { hint })
}

/** The text of a field as croner takes it. */
function patternOf(cron: string, text: string, field: Field): string {
  if (text.includes('?') && field !== DAY_OF_MONTH && field !== DAY_OF_WEEK) {
    throw new InvalidOptionError('cron', `'?' for days only, not in the ${field.name}`, cron, { hint: "write '*'" })
  }
  return text
    .split(',')
    .map((item) => {
      const [range = '', step, ...others] = item.split('/')
      if (step === undefined || others.length > 0) return item
      checkStep(cron, item, range, Number(step), field)
      return /^\w+$/.test(range) ? `${range}-${field.most}/${step}` : item
    })
    .join(',')
}

/** Refuses a step beyond its range, which is no step at all: the first value of the range comes alone. */
function checkStep(cron: string, item: string, range: string, step: number, field: Field): void {
  const { name, unit } = field
  const all = `${field.least}-${field === DAY_OF_WEEK ? 6 : field.most}` // Sunday is 0 and 7, and counts once
  const [from = '', to = String(field.most)] = (/^[*?]$/.test(range) ? all : range).split('-')
  const [first, last] = [valueOf(from, field), /^sun$/i.test(to) ? field.most : valueOf(to, field)]
  const isRange = first >= field.least && first <= last && last <= field.most
  if (!isRange || !(step > last - first)) return
  const interval =
    unit === undefined ? '' : `; for one every ${step} ${unit}, set interval: { ${unit}: ${step} } instead`
  throw new InvalidOptionError(
    'cron',
    `a step that stays in its range, which '${item}' does not: ${name} go from ${from} to ${to} there`,
    cron,
    { hint: `for one at ${from} alone, write '${from}'${interval}` },
  )
}

/** Number that a number or a name stands for; `NaN` if there is none. */
function valueOf(text: string, { names, least }: Field): number {
  const index = names?.indexOf(text.toLowerCase()) ?? -1
  return index === -1 ? Number(text) : index + least
}

/** Whether a field of days names all of them. */
function isAll(text: string, { all }: Field): boolean {
  return text.split(',').some((item) => /^[*?](\/1)?$/.test(item) || all?.test(item) === true)
}
