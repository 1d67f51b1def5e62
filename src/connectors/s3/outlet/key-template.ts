import { Buffer } from 'node:buffer'
import { InvalidOptionError, sortOf } from '../../../base/errors.js'
import { hintAt } from '../../../base/suggestion.js'
import { InvalidPayloadError } from '../../../core/partial-push.js'

/** What the fields of a key stand for, in one batch of a transfer. */
export interface S3KeyNames {
  /** Name of the link. */
  readonly link: string
  /** Day on which the transfer began, in UTC, like `2026-01-31`. */
  readonly date: string
  readonly year: string
  readonly month: string
  readonly day: string
  readonly hour: string
  readonly minute: string
  /** Text that no other transfer has. Those of later transfers sort behind it. */
  readonly uid: string
  /** Number of the batch in the transfer, from `000000`. */
  readonly batch: string
}

/** Fields of a key, beside those of the payload. */
const FIELDS = ['link', 'date', 'year', 'month', 'day', 'hour', 'minute', 'uid', 'batch', 'hash'] as const

type Field = (typeof FIELDS)[number]

/** Stands for the hash until that is known: no key has it. */
const HASH = '\0'

/** Most bytes of a key. */
const LONGEST = 1024
/** Number of characters of a hash. */
const HASH_LENGTH = 32

type Piece =
  | { readonly literal: string }
  | { readonly field: Field }
  | { readonly path: readonly string[]; readonly otherwise: string | undefined }

/** Template of keys, like `orders/{payload.country}/{date}/{uid}-{batch}.jsonl`. */
export class KeyTemplate {
  readonly #text: string
  readonly #pieces: readonly Piece[]
  /** Fields of it, beside those of the payload. */
  readonly fields: ReadonlySet<Field>
  /** Whether it has fields of the payload, so that the records of a batch may have several keys. */
  readonly ofPayload: boolean

  /**
   * @param option - name of the option, for the error
   * @throws {@link InvalidOptionError}
   */
  constructor(option: string, text: string) {
    this.#text = text
    this.#pieces = piecesOf(option, text)
    this.fields = new Set(this.#pieces.flatMap((piece) => ('field' in piece ? [piece.field] : [])))
    this.ofPayload = this.#pieces.some((piece) => 'path' in piece)
    // as each field would be some letters
    const example = this.#pieces.map((piece) => ('literal' in piece ? piece.literal : 'x')).join('')
    const wrong = wrongWith(example)
    if (wrong === undefined) return
    const hint = text.startsWith('s3://') ? 'the bucket is an option of its own' : undefined
    throw new InvalidOptionError(option, `a key of an object, and this ${wrong}`, text, { hint })
  }

  /**
   * Key for a payload. Its hash, if it has one, is set by {@link withHash}.
   *
   * @throws {@link InvalidPayloadError} when a field of the payload cannot be in a key
   */
  compose(payload: unknown, names: S3KeyNames): string {
    let key = ''
    for (const piece of this.#pieces) {
      if ('literal' in piece) key += piece.literal
      else if ('path' in piece) key += ofPayload(payload, piece.path, piece.otherwise)
      else key += piece.field === 'hash' ? HASH : piece.field === 'link' ? encoded(names.link) : names[piece.field]
    }
    checkKey(key, (wrong) => new InvalidPayloadError(`S3Outlet: the key that a payload gives ${wrong}`))
    return key
  }

  toString(): string {
    return this.#text
  }
}

/** The key of an object, once the hash of its content is known. */
export function withHash(key: string, hash: string): string {
  return key.replaceAll(HASH, hash.slice(0, HASH_LENGTH))
}

/**
 * Checks the key of an object: S3 takes nearly any text, but programs that read the objects do not.
 *
 * @param fail - makes the error, of what is wrong with it
 */
export function checkKey(key: string, fail: (wrong: string) => Error): void {
  const wrong = wrongWith(key)
  if (wrong !== undefined) throw fail(wrong)
}

/** What is wrong with a key; `undefined` when it can be used. */
function wrongWith(key: string): string | undefined {
  if (key === '') return 'is empty'
  if (key.startsWith('/')) return 'begins with a slash'
  if (key.endsWith('/')) return 'ends with a slash'
  if (!key.isWellFormed()) return 'has half of a character'
  if (/[\x01-\x1f\x7f]/.test(key)) return 'has a control character'
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(key)) return 'has a part that is . or ..'
  if (key.includes('//')) return 'has an empty part'
  const length = key.length * 3 <= LONGEST ? 0 : Buffer.byteLength(key.replaceAll(HASH, 'x'.repeat(HASH_LENGTH)))
  return length > LONGEST ? `has ${length} bytes, more than ${LONGEST}` : undefined
}

function piecesOf(option: string, text: string): Piece[] {
  return text.split(/(\{[^{}]*\})/).flatMap((part): Piece[] => {
    if (part === '') return []
    if (/^\{.*\}$/s.test(part)) return [pieceOf(option, part.slice(1, -1))]
    if (!/[{}]/.test(part)) return [{ literal: part }]
    throw new InvalidOptionError(option, 'braces in pairs, around a field', text)
  })
}

function pieceOf(option: string, text: string): Piece {
  const field = FIELDS.find((one) => one === text)
  if (field !== undefined) return { field }
  const [, path, otherwise] = /^payload((?:\.[^.|]+)+)(?:\|(.*))?$/s.exec(text) ?? []
  if (path !== undefined) return { path: path.slice(1).split('.'), otherwise }
  const known = FIELDS.map((one) => `{${one}}`).join(', ')
  const hint = /^payload\b/.test(text) ? 'name the field, as in {payload.id}' : hintAt(text, [...FIELDS, 'payload'])
  throw new InvalidOptionError(option, `fields out of ${known} and {payload.x}`, `{${text}}`, { hint })
}

/** A field of a payload as a part of a key. */
function ofPayload(payload: unknown, path: readonly string[], otherwise: string | undefined): string {
  let value: unknown = payload
  for (const name of path) {
    const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    value = isThere ? (value as { readonly [name: string]: unknown })[name] : undefined
  }
  const text = textOf(value)
  if (text !== undefined && text !== '' && text.isWellFormed()) return encoded(text)
  const isNone = value === undefined || value === null || value === ''
  if (isNone && otherwise !== undefined) return otherwise
  const what = value === '' ? 'an empty text' : value === undefined ? 'missing' : sortOf(value)
  const advice = isNone ? `: {payload.${path.join('.')}|none} writes none for it` : ''
  throw new InvalidPayloadError(
    `S3Outlet: the key needs the field ${path.join('.')} of a payload, which is ${what}${advice}`,
  )
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined
}

/**
 * A value as a part of a key: letters and digits of any script, `-`, `_`, `.` and `~` stand for themselves, all else is encoded
 * as in a URL. So different values have different keys, and none can lead to another folder.
 */
function encoded(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}\p{N}\-_.~]/gu, percent)
}

function percent(sign: string): string {
  return [...Buffer.from(sign)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
