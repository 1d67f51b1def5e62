import type { ResponseHeaders } from './exchange.js'

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
