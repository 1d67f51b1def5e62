import type { Url } from '../../../base/node-types.js'
import type { ResponseHeaders } from '../response-headers.js'
import { urlInHeader } from '../header-url.js'

/** Page of a response, as {@link HttpInletOptions.next} gets it. */
export interface HttpPage {
  /** URL of the page, after redirects. Relative URLs of next pages are relative to it. */
  readonly url: string
  readonly status: number
  /** Headers by their names in lower case. A header that came several times is a list. */
  readonly headers: ResponseHeaders
  /** Body of the page, parsed as the `format` says: with JSON lines, the list of them. `undefined` without a body. */
  readonly body: unknown
}

/** Function that gives the URL of the next page; `undefined` or `null` when there is none. */
export type NextPage = (page: HttpPage) => string | Url | null | undefined

/**
 * URL of the next page in a `link` header (RFC 8288): `Link: </todos?page=2>; rel="next"`. For the option `next` of
 * {@link HttpInlet}.
 */
export function nextLink({ headers }: Pick<HttpPage, 'headers'>): string | undefined {
  const header = [headers['link'] ?? []].flat().join(', ')
  for (const [, url, parameters = ''] of header.matchAll(LINK)) {
    for (const [, name = '', quoted, bare = ''] of parameters.matchAll(PARAMETER)) {
      const isRelation = name.toLowerCase() === 'rel'
      if (isRelation && (quoted ?? bare).toLowerCase().split(/\s+/).includes('next')) return urlInHeader(url ?? '')
    }
  }
  return undefined
}

/** Link of a header: its URL, and its parameters as they are. A quoted value may hold anything. */
const LINK = /<([^<>]*)>((?:\s*;[^;,"]*(?:"(?:[^"\\]|\\.)*"[^;,"]*)?)*)/g

/** Parameter of a link: its name, and its value, quoted or bare. */
const PARAMETER = /;\s*([^\s=;,"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/g
