/** What S3 promises of objects and uploads, and the store of s3rver does not. */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import S3Error from 's3rver/lib/models/error.js'

const SMALLEST_PART = 5 * 1024 * 1024
const md5 = (data, encoding) => createHash('md5').update(data).digest(encoding)

/** Mends a store: an object appears whole or not at all, and parts are what the client says they are. */
export function mend(store) {
  const put = async ({ bucket, key, metadata, content }, etag) => {
    const body = Buffer.isBuffer(content) ? content : await buffer(content)
    const at = store.getResourcePath(bucket, key, 'object')
    const made = path.join(store.rootDirectory, `.${randomUUID()}`)
    writeFileSync(made, body)
    mkdirSync(path.dirname(at), { recursive: true })
    const sum = etag ?? md5(body, 'hex')
    await store.putMetadata(bucket, key, metadata, sum)
    renameSync(made, at)
    return { size: body.length, md5: sum }
  }
  store.putObject = (object) => put(object)
  store.putPart = async (bucket, id, number, content) => {
    const body = await buffer(content)
    writeFileSync(path.join(uploadFolder(store, bucket, id), String(Number(number))), body)
    return { size: body.length, md5: md5(body, 'hex') }
  }
  store.putObjectMultipart = async (bucket, id, parts) => {
    const folder = uploadFolder(store, bucket, id)
    const bodies = parts.map(({ number, etag }, index) => {
      const file = path.join(folder, String(number))
      const body = existsSync(file) ? readFileSync(file) : undefined
      if (body === undefined || md5(body, 'hex') !== etag)
        throw new S3Error('InvalidPart', 'One or more of the specified parts could not be found.')
      if (index > 0 && parts[index - 1].number >= number)
        throw new S3Error('InvalidPartOrder', 'The list of parts was not in ascending order.')
      if (index < parts.length - 1 && body.length < SMALLEST_PART)
        throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size')
      return body
    })
    const key = readFileSync(path.join(folder, 'key'), 'utf8')
    const metadata = JSON.parse(readFileSync(path.join(folder, 'metadata'), 'utf8'))
    const etag = `${md5(Buffer.concat(bodies.map((body) => md5(body))), 'hex')}-${bodies.length}`
    const stored = await put({ bucket, key, metadata, content: Buffer.concat(bodies) }, etag)
    rmSync(folder, { recursive: true })
    return stored
  }
}

/** Ends an upload that is not complete, with its parts. */
export function abort(store, bucket, id) {
  rmSync(uploadFolder(store, bucket, id), { recursive: true })
}

/** Uploads of a bucket that are neither complete nor aborted: key and id of each. */
export function uploads(store, bucket) {
  const folder = store.getResourcePath(bucket, undefined, 'uploads')
  const ids = existsSync(folder) ? readdirSync(folder) : []
  return ids.map((id) => ({ key: readFileSync(path.join(folder, id, 'key'), 'utf8'), id }))
}

function uploadFolder(store, bucket, id) {
  const folder = path.join(store.getResourcePath(bucket, undefined, 'uploads'), path.basename(id))
  if (existsSync(folder)) return folder
  throw new S3Error('NoSuchUpload', 'The specified upload does not exist.')
}
