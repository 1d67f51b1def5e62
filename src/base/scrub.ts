import { Buffer } from 'node:buffer'

/** Text that stands for a secret. */
export const HIDDEN_TEXT = '***'

/** Fewest characters of a value that is hidden in texts: a shorter one is in too many words. */
export const SHORTEST_HIDDEN = 4

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

let pattern: RegExp | undefined
let compiled = 0

/**
 * Hides a value from now on: {@link scrub} replaces it. Of a URL, also its password, its query, and its path where it is
 * one of HTTP; of a text of several lines, also each line.
 *
 * @param isDerived - whether it was made of a secret, and will be followed by others
 * @returns whether it is long enough to be hidden
 */
export function hideValue(value: string, isDerived = false): boolean {
  if (value.length < SHORTEST_HIDDEN) return false
  for (const part of [value, ...partsOfUrl(value), ...linesOf(value)]) hide(part, isDerived)
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
  // Node writes the error that ends a process to standard error, and that of a thread to the main thread
  process.on('uncaughtExceptionMonitor', (error) => {
    scrubError(error)
  })
}

/**
 * A text without the values that are hidden: `***` stands in their place. They are found as they are, percent-encoded, as JSON
 * and HTML write them, in base64, and in part where JSON.parse quotes them.
 */
export function scrub(text: string): string {
  if (hidden.changes === 0) return text
  const clean = text.replace(currentPattern(), HIDDEN_TEXT)
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
    return `${JSON.stringify(scrubPlain(JSON.parse(line)))}${end}`
  } catch {
    return scrub(line)
  }
}

/** Plain data without the values that are hidden, in its texts and in the names of its fields. */
function scrubPlain(value: unknown): unknown {
  if (typeof value === 'string') return scrub(value)
  if (typeof value === 'number') return hidden.read.has(String(value)) ? HIDDEN_TEXT : value
  if (Array.isArray(value)) return value.map(scrubPlain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [scrub(name), scrubPlain(one)]))
}

/** Removes hidden values from what an error says of itself, in place, so far as it lets that be done. Never throws. */
export function scrubError(error: unknown, depth = 0): void {
  if (hidden.changes === 0 || typeof error !== 'object' || error === null || depth > 8) return
  for (const name of Object.getOwnPropertyNames(error)) {
    try {
      const value: unknown = Reflect.get(error, name)
      if (typeof value === 'string') Reflect.set(error, name, scrub(value))
      else if (name === 'cause') scrubError(value, depth + 1)
      else if (name === 'errors' && Array.isArray(value)) for (const one of value) scrubError(one, depth + 1)
    } catch {
      // it cannot be read: nobody else can, either
    }
  }
}

function currentPattern(): RegExp {
  if (pattern === undefined || compiled !== hidden.changes) {
    const longestFirst = [...hidden.read, ...hidden.derived].sort((a, b) => b.length - a.length)
    pattern = new RegExp(longestFirst.flatMap(patternsOf).join('|'), 'g')
    compiled = hidden.changes
  }
  return pattern
}

/** Most characters of a value that is looked for in base64. */
const LONGEST_PACKED = 1024

/** Characters from which on a value is known by its beginning, as a message may show no more of it. */
const LONG = 24
const BEGINNING = 16

/** Patterns of all forms of a value. */
function patternsOf(value: string): string[] {
  const patterns = [patternOf(value)]
  // the beginning of a URL is no secret
  if (value.length > LONG && !/^[\w+.-]+:\/\//.test(value))
    patterns.push(`${patternOf(value.slice(0, BEGINNING))}[^\\s"'<>]*`)
  if (value.length <= LONGEST_PACKED) patterns.push(...packedPatterns(value))
  return patterns
}

/** Pattern of a value, each of whose characters may be written in several ways. */
function patternOf(value: string): string {
  return value.replaceAll(/\\+|[^a-zA-Z0-9]/gu, (characters) =>
    characters.startsWith('\\') ? backslashes(characters.length) : character(characters),
  )
}

function backslashes(count: number): string {
  return `(?:\\\\{${count},${4 * count}}|(?:%(?:25)*5[cC]){${count}})`
}

/** Characters that HTML and queries write in other ways, as patterns. */
const SPECIAL: { readonly [character: string]: string } = {
  ' ': '[ +]',
  '&': '&(?:amp;)?',
  '<': '<|&lt;',
  '>': '>|&gt;',
  '"': '\\\\{0,3}"|&quot;|&#34;',
  "'": "\\\\{0,3}'|&#39;|&apos;",
  '/': '\\\\{0,3}\\/',
  '\n': '\\n|\\\\{1,3}n',
  '\r': '\\r|\\\\{1,3}r',
  '\t': '\\t|\\\\{1,3}t',
  '\b': '\\x08|\\\\{1,3}b',
  '\f': '\\f|\\\\{1,3}f',
}

function character(character: string): string {
  const percent = [...Buffer.from(character)].map((byte) => `%(?:25)*${digits(byte, 2)}`).join('')
  const raw = SPECIAL[character] ?? character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')
  const units = Array.from({ length: character.length }, (_, at) => `\\\\{1,3}u${digits(character.charCodeAt(at), 4)}`)
  return `(?:${raw}|${percent}|${units.join('')})`
}

/** Digits of a number to the base of 16, in small or in capital letters. */
function digits(value: number, length: number): string {
  const text = value.toString(16).padStart(length, '0')
  return text.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)
}

/**
 * Patterns of a value in base64, somewhere in a longer text: there are three, by where it begins in a group of three bytes.
 * Characters at its ends that are made of other bytes too are left out.
 */
function packedPatterns(value: string): string[] {
  const bytes = Buffer.from(value)
  return [0, 1, 2].flatMap((before) => {
    const packed = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const isWhole = (before + bytes.length) % 3 === 0
    const core = packed.slice(before === 0 ? 0 : before + 1, isWhole ? undefined : -1)
    if (core.length < SHORTEST_HIDDEN) return []
    return [core.replaceAll(/[+/]/g, (one) => (one === '+' ? '(?:[+-]|%2[bB])' : '(?:[/_]|%2[fF]|\\\\/)'))]
  })
}

/** Parts of a URL that are as secret as the whole: errors name a server, its path or a parameter alone. */
function partsOfUrl(value: string): string[] {
  if (!/^[\w+.-]+:\/\//.test(value)) return []
  // the URLs of some databases have several hosts, and those are none of the class URL
  const [, credentials = '', path = '', query = ''] =
    /^[^/]*\/\/(?:([^/?#]*)@)?[^/?#]*([^?#]*)\??([^#]*)/.exec(value) ?? []
  // a name without a password is a token
  const password = credentials.slice(credentials.indexOf(':') + 1)
  const values = query.split('&').map((pair) => percentDecoded(pair.slice(pair.indexOf('=') + 1)))
  // the path of a database's URL is its name
  const secretPath = value.startsWith('http') ? percentDecoded(path.slice(1)) : ''
  const long = [secretPath, percentDecoded(query), ...values].filter((part) => part.length >= 2 * SHORTEST_HIDDEN)
  return [percentDecoded(password), ...long]
}

function linesOf(value: string): string[] {
  const lines = value.split(/[\r\n]+/)
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= 2 * SHORTEST_HIDDEN)
}

/** Text without its percent signs, or as it is when they stand for nothing. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
