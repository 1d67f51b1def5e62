import { toError } from '../../../base/errors.js'
import { httpError, showUrl } from '../errors.js'
import type { HttpResponse } from '../exchange.js'
import { movedTo } from '../redirect.js'
import type { HttpRequest } from '../request.js'
import type { HttpPage, NextPage } from './next-link.js'

/** Way through the pages of one pull. */
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
   * Request of the next page; `undefined` when there is none.
   *
   * @param asked - request of this page, before redirects
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
