import { lazy } from '../../../base/libraries.js'
import type { ResponseHeaders } from '../response-headers.js'
import type { HttpRequest } from '../request.js'

const http = lazy<typeof import('node:http')>('node:http')

/** Validators by which a server names the version of a response. */
export interface Validators {
  readonly etag?: string
  readonly lastModified?: string
}

/** Validators in the headers of a response; `undefined` when there are none. */
export function validatorsOf(headers: ResponseHeaders): Validators | undefined {
  return checkValidators({ etag: [headers['etag']].flat()[0], lastModified: [headers['last-modified']].flat()[0] })
}

/** Whether two responses are of the same version by their etags. That one of them is weak makes no difference. */
export function isSameVersion(one: Validators | undefined, other: Validators | undefined): boolean {
  const [etag, otherEtag] = [one, other].map((validators) => validators?.etag?.replace(/^W\//, ''))
  return etag !== undefined && etag === otherEtag
}

/** Makes a request conditional: it asks only for changes since the version with these validators. */
export function ifChanged(request: HttpRequest, { etag, lastModified }: Validators): HttpRequest {
  const headers = {
    ...request.headers,
    ...(etag !== undefined && { 'if-none-match': etag }),
    ...(lastModified !== undefined && { 'if-modified-since': lastModified }),
  }
  return { ...request, headers }
}

/** Validators of a saved state, which may be anything, as far as they can be sent; `undefined` when there are none. */
export function checkValidators(value: unknown): Validators | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { etag, lastModified } = value as { readonly [key: string]: unknown }
  const validators = { ...(fits(etag) && { etag }), ...(fits(lastModified) && { lastModified }) }
  return Object.keys(validators).length === 0 ? undefined : validators
}

function fits(value: unknown): value is string {
  try {
    http().validateHeaderValue('etag', value as string)
    return typeof value === 'string' && value !== ''
  } catch {
    return false
  }
}
