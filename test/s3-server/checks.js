/** What S3 checks of a request before it does anything, and s3rver does not. */
import { createHash, createHmac } from 'node:crypto'

/** Keys that the server knows: s3rver has no others. */
const KEYS = { S3RVER: 'S3RVER' }
const LONGEST_KEY = 1024
const MOST_SKEW = 15 * 60_000

const sha256 = (data, encoding) => createHash('sha256').update(data).digest(encoding)
const hmac = (key, text) => createHmac('sha256', key).update(text).digest()
const encoded = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt().toString(16).toUpperCase()}`)

/** Why a request is refused: status, code and message of S3. Gives `undefined` where it is in order. */
export function refusal(request, url, body, now) {
  const { headers } = request
  const signed = /^AWS4-HMAC-SHA256 Credential=(.+?),\s*SignedHeaders=(.+?),\s*Signature=(.+)$/.exec(
    headers.authorization,
  )
  if (signed === null) return [403, 'AccessDenied', 'Access Denied']
  const [, credential, names, signature] = signed
  const [accessKeyId, ...scope] = credential.split('/')
  const secret = KEYS[accessKeyId]
  if (secret === undefined) return [403, 'InvalidAccessKeyId', 'The access key does not exist']
  const date = headers['x-amz-date'] ?? ''
  const sentAt = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..)Z$/, '$1-$2-$3:$4:$5Z'))
  if (!(Math.abs(sentAt - now) < MOST_SKEW))
    return [403, 'RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.']
  if (signature !== signatureOf(request, url, { secret, scope, names, date }))
    return [403, 'SignatureDoesNotMatch', 'The signature does not match']
  const hash = headers['x-amz-content-sha256']
  if (/^[0-9a-f]{64}$/.test(hash) && hash !== sha256(body, 'hex'))
    return [400, 'XAmzContentSHA256Mismatch', 'The provided x-amz-content-sha256 does not match what was computed.']
  const sums = { 'content-md5': () => createHash('md5').update(body).digest('base64') }
  sums['x-amz-checksum-sha256'] = () => sha256(body, 'base64')
  for (const [name, sum] of Object.entries(sums))
    if (headers[name] !== undefined && headers[name] !== sum()) return [400, 'BadDigest', `${name} did not match`]
  const key = url.pathname.split('/').slice(2).map(decodeURIComponent).join('/')
  if (Buffer.byteLength(key) > LONGEST_KEY) return [400, 'KeyTooLongError', 'Your key is too long']
  return undefined
}

function signatureOf({ method, headers }, url, { secret, scope, names, date }) {
  const query = [...url.searchParams].map((pair) => pair.map(encoded).join('=')).sort()
  const lines = names.split(';').map((name) => `${name}:${(headers[name] ?? '').trim().replace(/\s+/g, ' ')}\n`)
  const at = url.pathname
    .split('/')
    .map((part) => encoded(decodeURIComponent(part)))
    .join('/')
  const asked = [method, at, query.join('&'), lines.join(''), names, headers['x-amz-content-sha256']].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(asked, 'hex')].join('\n')
  return hmac(scope.reduce(hmac, `AWS4${secret}`), toSign).toString('hex')
}
