import { checkObject } from '../../../base/check.js'
import { InvalidOptionError } from '../../../base/errors.js'
import { checkFieldPath, fieldAt } from '../../../base/field-path.js'
import { custom, func, given, resolveOptions, word, type Spec } from '../../../base/options.js'
import type { Untyped } from '../../../base/untyped.js'
import type { Secret } from '../../../base/secret.js'
import type { HttpPage } from './next-link.js'
import type { HttpParams } from '../request.js'
import type { HttpHeaders } from '../request-headers.js'

/**
 * Page of a response with its records, as functions of {@link HttpSince} get it.
 *
 * @typeParam T - type of the payloads; it is believed, not checked
 */
export interface SincePage<T = Untyped> extends HttpPage {
  readonly records: readonly T[]
}

/** What a value of {@link HttpSince} changes of the request. What is left out stays as the options of the inlet say. */
export interface SinceRequest {
  /** Parameters of the query, instead of those of the same name. */
  readonly params?: HttpParams
  /** Headers, instead of those of the same name. */
  readonly headers?: HttpHeaders
  readonly body?: string | Uint8Array | Secret
  /** URL, perhaps a relative one, at the origin of the inlet's URL. */
  readonly url?: string | Secret
}

/**
 * How {@link HttpInlet} asks an API only for what came since the last time: by an id, a time or a token. The value goes into
 * the request by `param` or `request`. It comes from the response by `record`, `body`, `header` or `value`: one of each. It is a
 * string or a number; with `request`, any JSON of at most 64 KiB.
 *
 * @typeParam V - type of the value; it is believed, not checked
 */
export interface HttpSince<V = Untyped> {
  /**
   * Parameter of the query that has the value.
   * @default undefined - see `request`
   */
  readonly param?: string
  /**
   * What the value changes of the request: a function that gives parameters, headers, a body or a URL. Before there is a value, it
   * gets `undefined`.
   * @default undefined - see `param`
   */
  readonly request?: (value: V | undefined) => SinceRequest | undefined
  /**
   * Field of the records that has the value, such as `'id'` or `'meta.updated'`. A response without records leaves the value as
   * it is.
   * @default undefined - see `body`, `header` and `value`
   */
  readonly record?: string
  /**
   * Field of the body that has the next value, such as `'next_since'`. Where it is missing, `null` or empty, the value stays.
   * @default undefined - see `record`, `header` and `value`
   */
  readonly body?: string
  /**
   * Header of the response that has the next value. Where it is missing or empty, the value stays.
   * @default undefined - see `record`, `body` and `value`
   */
  readonly header?: string
  /**
   * What gives the next value: a function of a page. When it gives `undefined` or `null`, the value stays.
   * @default undefined - see `record`, `body` and `header`
   */
  readonly value?: (page: SincePage) => V | null | undefined
  /**
   * Value of the very first request.
   * @default undefined - none: it asks for all
   */
  readonly first?: V
  /**
   * Order in which the records of a pull come by their `record`. With `ascending`, the value moves on with each page, and what
   * breaks goes on there. With `any`, the greatest value counts, once all pages of a pull are there.
   * @default 'ascending'
   */
  readonly order?: 'ascending' | 'any'
  /**
   * What says that there is more behind a page's value: a field of the body, such as `'has_more'`, or a function. Then the pull asks
   * again with the new value, up to `maxPages` times; what is left comes with the next transfer.
   * @default undefined - one request for each pull, or the pages of `next`
   */
  readonly more?: string | ((page: SincePage) => boolean)
}

/**
 * Table of the options of {@link HttpSince}.
 * @internal
 */
export const HTTP_SINCE_OPTIONS = {
  param: custom(readName, 'undefined - see `request`'),
  request: func(undefined, 'undefined - see `param`'),
  record: custom(readPath, 'undefined - see `body`, `header` and `value`'),
  body: custom(readPath, 'undefined - see `record`, `header` and `value`'),
  header: custom(readName, 'undefined - see `record`, `body` and `value`'),
  value: func(undefined, 'undefined - see `record`, `body` and `header`'),
  first: given<unknown>('undefined - none: it asks for all'),
  order: word(['ascending', 'any'] as const, 'ascending'),
  more: custom(readMore, 'undefined - one request for each pull, or the pages of `next`'),
} satisfies Spec<HttpSince>

/**
 * {@link HttpSince}, resolved.
 * @internal
 */
export interface Since {
  readonly param: string | undefined
  readonly request: HttpSince['request']
  readonly first: unknown
  /** Field of the records that has the value. */
  readonly record: readonly string[] | undefined
  readonly isOrdered: boolean
  /** Gives the next value of a page, where it is not in the records. */
  readonly next: ((page: SincePage) => unknown) | undefined
  readonly more: ((page: SincePage) => boolean) | undefined
}

/**
 * @throws {@link InvalidOptionError}
 * @internal
 */
export function readSince(name: string, since: HttpSince | undefined): Since | undefined {
  if (since === undefined) return undefined
  checkObject(name, since)
  const { param, request, record, body, header, value, first, order, more } = resolveOptions(
    name,
    since,
    HTTP_SINCE_OPTIONS,
  )
  checkOne(name, since, ['param', 'request'], "as in { param: 'since_id', record: 'id' }")
  checkOne(name, since, ['record', 'body', 'header', 'value'], "as in { param: 'since_id', record: 'id' }")
  const isOrdered = order === 'ascending'
  if (since.order !== undefined && record === undefined) {
    throw new InvalidOptionError(`${name}.order`, 'none without record: it is the order of records', order)
  }
  if (more !== undefined && !isOrdered) {
    throw new InvalidOptionError(
      `${name}.more`,
      "none with order: 'any', where a page has no value to go on with",
      more,
    )
  }
  if (param !== undefined && first !== undefined && !fitsParam(first)) {
    throw new InvalidOptionError(`${name}.first`, 'a string, number or boolean for a param', typeof first)
  }
  const next = body !== undefined ? fieldOf(body) : header !== undefined ? headerOf(header) : value
  return { param, request, first, record, isOrdered, next, more }
}

/** Whether a value may be a parameter. */
export function fitsParam(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function checkOne(name: string, since: HttpSince, names: readonly (keyof HttpSince)[], example: string): void {
  const found = names.filter((one) => since[one] !== undefined)
  if (found.length === 1) return
  const shown = found.length === 0 ? 'none' : found.join(', ')
  throw new InvalidOptionError(name, `one of ${names.join(', ')}, ${example}`, shown)
}

function fieldOf(path: readonly string[]) {
  return ({ body }: SincePage): unknown => fieldAt(body, path)
}

function headerOf(name: string) {
  const lower = name.toLowerCase()
  return ({ headers }: SincePage): unknown => [headers[lower]].flat()[0]
}

function readName(name: string, value: string | undefined): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  throw new InvalidOptionError(name, 'a name', value)
}

function readPath(name: string, value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : checkFieldPath(name, value)
}

function readMore(name: string, value: HttpSince['more']): ((page: SincePage) => boolean) | undefined {
  if (value === undefined || typeof value === 'function') return value
  const path = checkFieldPath(name, value, 'a function')
  return ({ body }) => Boolean(fieldAt(body, path))
}
