import { Buffer } from 'node:buffer'
import { percentDecoded } from './url-credentials.js'

/** Fewest characters of a value that is hidden in texts: a shorter one is in too many words. */
export const SHORTEST_HIDDEN = 4

/** Most characters of a value that is looked for as a whole: of a longer one, all pieces are. */
const LONGEST_WHOLE = 1024
const PIECE = 512

/**
 * Names that servers, databases and users have by default. They are in messages and paths that have nothing to do with a
 * secret, so none is one.
 */
const COMMON_NAMES = new Set(['postgres', 'postgresql', 'mongodb', 'localhost', 'http', 'https', 'databay'])

/** Users that servers have by default, which are none of the tokens that stand in the place of a user. */
const COMMON_USERS = new Set(['root', 'admin', 'user', 'guest', 'mongo'])

/** Whether a value is hidden at all: a short one, and the default name of something, are in too many texts. */
export function isHideable(value: string): boolean {
  return value.length >= SHORTEST_HIDDEN && !COMMON_NAMES.has(value.toLowerCase())
}

/** Parts of a secret that are each as secret as the whole. The whole is one of them, unless it is long. */
export function partsOf(value: string): string[] {
  return [value, ...partsOfUrl(value), ...linesOf(value)].filter(isHideable).flatMap(piecesOf)
}

/** Characters from which on a value is known by its beginning, as a message may show no more of it. */
const LONG = 24
const BEGINNING = 16

/** One way in which a value is written. */
export interface Form {
  readonly pattern: string
  /** Letters and digits that each text in this form has; `''` when it may have none. */
  readonly sign: string
}

/** The ways in which texts may have a value: as it is, percent-encoded, as JSON or HTML, cut off, and in base64. */
export function formsOf(value: string): Form[] {
  const forms = [{ pattern: patternOf(value), sign: signOf(value) }]
  // the beginning of a URL is no secret
  if (value.length > LONG && !/^[\w+.-]+:\/\//.test(value)) {
    const beginning = value.slice(0, BEGINNING)
    forms.push({ pattern: `${patternOf(beginning)}[^\\s"'<>]*`, sign: signOf(beginning) })
  }
  return [...forms, ...packedForms(value)]
}

/** The longest part of a text that all ways to write it leave as it is. */
function signOf(text: string): string {
  const parts = text.match(/[a-zA-Z0-9]+/g) ?? []
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '')
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
 * Forms of a value in base64, somewhere in a longer text: there are three, by where it begins in a group of three bytes.
 * Characters at its ends that are made of other bytes too are left out.
 */
function packedForms(value: string): Form[] {
  const bytes = Buffer.from(value)
  return [0, 1, 2].flatMap((before) => {
    const packed = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const isWhole = (before + bytes.length) % 3 === 0
    const core = packed.slice(before === 0 ? 0 : before + 1, isWhole ? undefined : -1)
    if (core.length < SHORTEST_HIDDEN) return []
    const pattern = core.replaceAll(/[+/]/g, (one) => (one === '+' ? '(?:[+-]|%2[bB])' : '(?:[/_]|%2[fF]|\\\\/)'))
    return [{ pattern, sign: signOf(core) }]
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
  const isUser = !credentials.includes(':') && COMMON_USERS.has(password)
  const isHttp = value.startsWith('http')
  const pairs = query.split('&').map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)] as const)
  // the path of a database's URL is its name, and its query has settings
  const secretPairs = pairs.filter(([name]) => isHttp || /pass|pwd|secret|token|key|cred|propert/i.test(name))
  const parts = [isHttp ? path.slice(1) : '', query, ...secretPairs.map(([, text]) => text)].map(percentDecoded)
  const long = parts.filter((part) => part.length >= 2 * SHORTEST_HIDDEN)
  return [isUser ? '' : percentDecoded(password), ...long]
}

function linesOf(value: string): string[] {
  const lines = value.split(/[\r\n]+/)
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= 2 * SHORTEST_HIDDEN)
}

function piecesOf(value: string): string[] {
  if (value.length <= LONGEST_WHOLE) return [value]
  return Array.from({ length: Math.ceil(value.length / PIECE) }, (_, at) => value.slice(at * PIECE, (at + 1) * PIECE))
}
