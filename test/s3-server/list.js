/** Lists the objects of a bucket as S3 does: by the bytes of their keys, page by page. s3rver has another order, and one page. */
import { readdirSync } from 'node:fs'
import path from 'node:path'

const MOST_KEYS = 1000
const SUFFIX = '._S3rver_object'

/** Answer to `list-type=2`, as XML. */
export async function listObjects(store, bucket, query) {
  const folder = store.getBucketPath(bucket)
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const token = query.get('continuation-token')
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString()
  const most = Math.min(Number(query.get('max-keys') ?? MOST_KEYS), MOST_KEYS)
  const keys = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.split(path.sep).join('/').slice(0, -SUFFIX.length))
    .filter((key) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  /** Keys, and prefixes that stand for all keys below them. */
  const entries = []
  for (const key of keys) {
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const common = at === -1 ? undefined : key.slice(0, at + delimiter.length)
    if (common === undefined) entries.push({ key })
    else if (entries.at(-1)?.common !== common && !after.startsWith(common)) entries.push({ common })
  }
  const page = entries.slice(0, most)
  const isTruncated = entries.length > page.length && most > 0
  const { key, common } = page.at(-1) ?? {}
  const isEncoded = query.get('encoding-type') === 'url'
  const named = isEncoded ? urlEncoded : escaped
  const shown = await Promise.all(page.map((entry) => element(store, bucket, entry, named)))
  const next = isTruncated
    ? tag('NextContinuationToken', Buffer.from(key ?? `${common}\uffff`).toString('base64url'))
    : ''
  const head = tag('Name', bucket) + tag('Prefix', named(prefix)) + tag('KeyCount', page.length) + tag('MaxKeys', most)
  const encoding = isEncoded ? tag('EncodingType', 'url') : ''
  const marks = tag('IsTruncated', isTruncated) + encoding + next
  return `<ListBucketResult>${head}${marks}${shown.join('')}</ListBucketResult>`
}

/** Text as XML has it. */
export function escaped(text) {
  return text.replace(/[<>&"'\r\n]/g, (c) => `&#${c.charCodeAt()};`)
}

/** Text as `encoding-type=url` has it. */
const urlEncoded = (text) => encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%20', '+')

const tag = (name, text) => `<${name}>${text}</${name}>`

async function element(store, bucket, { key, common }, named) {
  if (key === undefined) return tag('CommonPrefixes', tag('Prefix', named(common)))
  const { etag, ...metadata } = await store.getMetadata(bucket, key)
  const modified = new Date(metadata['last-modified']).toISOString()
  const parts = tag('Key', named(key)) + tag('LastModified', modified) + tag('ETag', escaped(etag))
  return tag('Contents', parts + tag('Size', metadata['content-length']) + tag('StorageClass', 'STANDARD'))
}
