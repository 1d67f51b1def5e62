import { toError } from '../errors.js'
import type { HttpResponse, ResponseHeaders } from './http-exchange.js'
import { movedTo } from './http-redirect.js'
import { httpError, showUrl, type HttpRequest } from './http-request.js'

/** A page of a response, as {@link HttpInletOptions.next} gets it. */
export interface HttpPage {
  /** Where it was, after redirects. Relative URLs of next pages are relative to it. */
  readonly url: string
  readonly status: number
  /** By their names in lower case. One that came several times is a list. */
  readonly headers: ResponseHeaders
  /** What was read, parsed as the `format` says: with JSON lines, the list of them. `undefined` without a body. */
  readonly body: unknown
}

/** Gives the URL of the page after one; `undefined` or `null` when there is none. */
export type NextPage = (page: HttpPage) => string | URL | null | undefined

/**
 * The URL of the next page in a `link` header (RFC 8288): `Link: </todos?page=2>; rel="next"`. For the option `next`
 * of {@link HttpInlet}.
 */
export function nextLink({ headers }: Pick<HttpPage, 'headers'>): string | undefined {
  const header = [headers['link'] ?? []].flat().join(', ')
  for (const [, url, parameters = ''] of header.matchAll(LINK)) {
    for (const [, name = '', quoted, bare = ''] of parameters.matchAll(PARAMETER)) {
      const isRelation = name.toLowerCase() === 'rel'
      if (isRelation && (quoted ?? bare).toLowerCase().split(/\s+/).includes('next')) return url
    }
  }
  return undefined
}

/** A link: its URL, and its parameters as they are. What is quoted may hold anything. */
const LINK = /<([^<>]*)>((?:\s*;[^;,"]*(?:"(?:[^"\\]|\\.)*"[^;,"]*)?)*)/g

/** A parameter: its name, and its value, quoted or bare. */
const PARAMETER = /;\s*([^\s=;,"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/g

/** The way through the pages of one pull. */
export class Pages {
  readonly #next: NextPage
  readonly #maxPages: number
  readonly #visited = new Set<string>()
  #count = 0

  constructor(next: NextPage, maxPages: number) {
    this.#next = next
    this.#maxPages = maxPages
  }

  /**
   * The request of the page after one; `undefined` when there is none.
   *
   * @param asked - the request of this page, before redirects
   * @throws {@link HttpError} when it leads back, to too many pages, or where it must not
   */
  after(asked: HttpRequest, { request, status, headers }: HttpResponse, body: unknown): HttpRequest | undefined {
    const { url } = request
    this.#visited.add(asked.url.href).add(url.href)
    this.#count++
    const location = this.#ask(url, { url: url.href, status, headers, body })
    if (location === undefined) return undefined
    const next = movedTo(request, location, 'pages')
    if (this.#visited.has(next.url.href)) {
      throw httpError(url, 'pages', `its next page is ${showUrl(next.url)}, which was read before`)
    }
    if (this.#count >= this.#maxPages) throw httpError(url, 'pages', `more than ${this.#maxPages} pages`)
    return next
  }

  #ask(url: URL, page: HttpPage): string | undefined {
    let location
    try {
      location = this.#next(page)
    } catch (cause) {
      throw httpError(url, 'pages', `next() failed: ${toError(cause).message}`, { cause })
    }
    if (location === undefined || location === null) return undefined
    if (typeof location === 'string' || (location as unknown) instanceof URL) return String(location)
    throw httpError(url, 'pages', `next() gave neither a URL nor undefined, but something of type ${typeof location}`)
  }
}
