import { lazy } from '../../base/libraries.js'
import type { ResponseHeaders } from './exchange.js'
import type { HttpRequest } from './request.js'

const http = lazy<typeof import('node:http')>('node:http')

/** What a server named the version of a response by. */
export interface Validators {
  readonly etag?: string
  readonly lastModified?: string
}

/** Those in the headers of a response; `undefined` when there are none. */
export function validatorsOf(headers: ResponseHeaders): Validators | undefined {
  return checkValidators({ etag: headers['etag'], lastModified: headers['last-modified'] })
}

/** The request for what changed since. */
export function ifChanged(request: HttpRequest, { etag, lastModified }: Validators): HttpRequest {
  const headers = {
    ...request.headers,
    ...(etag !== undefined && { 'if-none-match': etag }),
    ...(lastModified !== undefined && { 'if-modified-since': lastModified }),
  }
  return { ...request, headers }
}

/** Those of a value that may be anything, as far as they can be sent; `undefined` when there are none. */
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
