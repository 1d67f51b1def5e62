import { formsOf, isHideable, partsOf, SHORTEST_HIDDEN } from './secret-forms.js'

/** Text that stands for a secret. */
export const HIDDEN_TEXT = '***'

/** Most values made of secrets that are known at a time, such as tokens that are signed for each request. */
const MOST_DERIVED = 1000

/** Values of a thread that no text may show. */
interface HiddenValues {
  /** Values of secrets. */
  readonly read: Set<string>
  /** Values made of secrets, the latest ones. */
  readonly derived: Set<string>
  /** Number of changes. */
  changes: number
}

const KEY = Symbol.for('databay.hiddenValues')

/** The values, which all copies of this package in a thread share: the command may be another one than the project's. */
const shared = globalThis as unknown as Partial<Record<typeof KEY, HiddenValues>>
const hidden: HiddenValues = shared[KEY] ?? (shared[KEY] = { read: new Set(), derived: new Set(), changes: 0 })

/** How values are found, the longest first, as of a number of changes. */
let finders: readonly Finder[] = []
let found = 0

/**
 * Hides a value from now on: {@link scrub} replaces it. Of a URL, also its password, its query, and its path where it is
 * one of HTTP; of a text of several lines, also each line.
 *
 * @param isDerived - whether it was made of a secret, and will be followed by others
 * @returns whether it is hidden: not when it is too short, or the default name of something, such as `postgres`
 */
export function hideValue(value: string, isDerived = false): boolean {
  if (!isHideable(value)) return false
  for (const part of partsOf(value)) hide(part, isDerived)
  return true
}

function hide(value: string, isDerived: boolean): void {
  if (value.length < SHORTEST_HIDDEN || hidden.read.has(value)) return
  const { derived } = hidden
  if (!isDerived) hidden.read.add(value)
  else if (derived.has(value)) return
  else derived.add(value)
  for (const oldest of derived) {
    if (derived.size <= MOST_DERIVED) break
    derived.delete(oldest)
  }
  hidden.changes++
  if (hidden.changes > 1) return
  // Node writes warnings, and the error that ends a process, to standard error, and the error of a thread to the main thread
  process.prependListener('uncaughtExceptionMonitor', (error) => {
    scrubError(error)
  })
  process.prependListener('warning', (warning) => {
    scrubError(warning)
  })
}

/**
 * A text without the values that are hidden: `***` stands in their place. They are found as they are, percent-encoded, as JSON
 * and HTML write them, in base64, and in part where JSON.parse quotes them.
 */
export function scrub(text: string): string {
  if (hidden.changes === 0) return text
  let clean = text
  for (const finder of currentFinders()) clean = finder.hideIn(clean)
  return clean.includes(NO_JSON) ? clean.replaceAll(QUOTED, withoutPart) : clean
}

/** What JSON.parse says of a text that is none: with some characters of it, from around the place. */
const NO_JSON = ' is not valid JSON'
const QUOTED = /(, (?:\.\.\.)?\\*")([^]{1,60}?)(\\*"(?:\.\.\.)? is not valid JSON)/g

function withoutPart(all: string, before: string, quoted: string, after: string): string {
  const text = quoted.replaceAll('\\', '')
  const values = [...hidden.read, ...hidden.derived].map((value) => value.replaceAll('\\', ''))
  const isPart = (at: number) => values.some((value) => value.includes(text.slice(at, at + SHORTEST_HIDDEN)))
  const places = Array.from({ length: Math.max(1, text.length - SHORTEST_HIDDEN + 1) }, (_, at) => at)
  return places.some(isPart) ? `${before}${HIDDEN_TEXT}${after}` : all
}

/** A line of JSON without the values that are hidden. It stays JSON, though a value may be the digits of a number. */
export function scrubJson(line: string): string {
  if (hidden.changes === 0 || scrub(line) === line) return line
  try {
    const end = line.endsWith('\n') ? '\n' : ''
    return `${JSON.stringify(scrubData(JSON.parse(line)))}${end}`
  } catch {
    return scrub(line)
  }
}

/**
 * A copy of data without the values that are hidden, in its texts and in the names of its fields. Objects of classes are the same
 * in it.
 *
 * @param copies - copies that are made already, by what they are of: data may have circles
 */
export function scrubData(value: unknown, copies = new Map<object, object>()): unknown {
  if (hidden.changes === 0) return value
  if (typeof value === 'string') return scrub(value)
  if (typeof value === 'number') return hidden.read.has(String(value)) ? HIDDEN_TEXT : value
  if (typeof value !== 'object' || value === null) return value
  const known = copies.get(value)
  if (known !== undefined) return known
  if (Array.isArray(value)) {
    const list: unknown[] = []
    copies.set(value, list)
    for (const one of value as readonly unknown[]) list.push(scrubData(one, copies))
    return list
  }
  if (Object.getPrototypeOf(value) !== Object.prototype || Object.getOwnPropertySymbols(value).length > 0) return value
  const copy: { [name: string]: unknown } = {}
  copies.set(value, copy)
  for (const [name, one] of Object.entries(value)) copy[scrub(name)] = scrubData(one, copies)
  return copy
}

/** Removes hidden values from what an error says of itself, in place, so far as it lets that be done. Never throws. */
export function scrubError(error: unknown, depth = 0): void {
  if (hidden.changes === 0 || typeof error !== 'object' || error === null || depth > 8) return
  for (const name of Object.getOwnPropertyNames(error)) {
    try {
      const value: unknown = Reflect.get(error, name)
      const errors = (Array.isArray(value) ? value : [value]).filter((one) => one instanceof Error)
      for (const one of errors) scrubError(one, depth + 1)
      if (!(value instanceof Error)) Reflect.set(error, name, scrubData(value))
    } catch {
      // it cannot be read: nobody else can, either
    }
  }
}

/**
 * Finds a value in texts. Nearly no text has it, so it is first looked for a piece of each form that is written in one way, which
 * takes far less time than the pattern.
 */
class Finder {
  readonly value: string
  readonly #signs: readonly string[]
  #pattern: RegExp | undefined

  constructor(value: string) {
    this.value = value
    this.#signs = formsOf(value).map(({ sign }) => sign)
  }

  /** A text with `***` in the place of the value. */
  hideIn(text: string): string {
    if (!this.#signs.some((sign) => text.includes(sign))) return text
    this.#pattern ??= new RegExp(
      formsOf(this.value)
        .map(({ pattern }) => pattern)
        .join('|'),
      'g',
    )
    return text.replace(this.#pattern, HIDDEN_TEXT)
  }
}

function currentFinders(): readonly Finder[] {
  if (found === hidden.changes) return finders
  const known = new Map(finders.map((finder) => [finder.value, finder]))
  const values = [...new Set([...hidden.read, ...hidden.derived])].sort((a, b) => b.length - a.length)
  finders = values.map((value) => known.get(value) ?? new Finder(value))
  found = hidden.changes
  return finders
}
