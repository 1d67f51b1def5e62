import { S3Error } from './errors.js'

/** Parameters of a query; those without a value have the empty text. */
export interface S3Query {
  readonly [name: string]: string
}

/**
 * URL of a bucket, or of an object in it. A key stands in it as S3 signs it: encoded once, but for its slashes.
 *
 * @param key - `undefined` for the bucket itself
 * @throws {@link S3Error} when the key cannot stand in a URL
 */
export function urlOf(bucketUrl: string, key: string | undefined, query: S3Query = {}): URL {
  const bucket = new URL(bucketUrl)
  const path = key === undefined ? bucket.pathname : `${bucket.pathname.replace(/\/$/, '')}/${encodedKey(key)}`
  const pairs = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
  const url = new URL(`${bucket.origin}${path}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`)
  // a URL resolves the dots of a path, and would name another object
  if (url.pathname !== path) throw unusable('it has a part that is . or ..')
  return url
}

function encodedKey(key: string): string {
  if (!key.isWellFormed()) throw unusable('it has half of a character')
  return encoded(key).replaceAll('%2F', '/')
}

/** A text encoded as RFC 3986 has it. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}

function unusable(why: string): S3Error {
  return new S3Error(`S3: a key cannot stand in a URL: ${why}`, { retryable: false })
}
