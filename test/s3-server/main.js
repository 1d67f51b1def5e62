/**
 * Runs an S3 server on loopback for as long as standard input is open, and prints its port. It is s3rver, with what S3
 * checks and promises beyond it. Arguments: folder of its data, which is removed at the end, and the milliseconds by
 * which its clock is ahead.
 */
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import S3rver from 's3rver'
import { refusal } from './checks.js'
import { escaped, listObjects } from './list.js'
import { abort, mend, uploads } from './store.js'

const [directory, ahead = '0'] = process.argv.slice(2)
const s3rver = new S3rver({ directory, silent: true, vhostBuckets: false })
mend(s3rver.store)
const handle = s3rver.callback()

function answer(response, status, xml = '') {
  response.writeHead(status, xml === '' ? {} : { 'content-type': 'application/xml' }).end(xml)
}

function refuse(response, status, code, message) {
  answer(response, status, `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`)
}

async function respond(request, response) {
  const url = new URL(request.url, 'http://127.0.0.1')
  const body = await buffer(request)
  const now = Date.now() + Number(ahead)
  response.setHeader('date', new Date(now).toUTCString())
  const refused = refusal(request, url, body, now)
  if (refused !== undefined) return refuse(response, ...refused)
  const [, bucket, ...key] = url.pathname.split('/').map(decodeURIComponent)
  const { method, headers } = request
  if (method === 'DELETE' && url.searchParams.has('uploadId')) {
    abort(s3rver.store, bucket, url.searchParams.get('uploadId'))
    return answer(response, 204)
  }
  const isList = method === 'GET' && key.join('') === '' && (await s3rver.store.getBucket(bucket)) !== null
  if (isList && url.searchParams.get('list-type') === '2')
    return answer(response, 200, await listObjects(s3rver.store, bucket, url.searchParams))
  if (isList && url.searchParams.has('uploads')) {
    const all = uploads(s3rver.store, bucket).map(
      ({ key, id }) => `<Upload><Key>${escaped(key)}</Key><UploadId>${id}</UploadId></Upload>`,
    )
    return answer(response, 200, `<ListMultipartUploadsResult>${all.join('')}</ListMultipartUploadsResult>`)
  }
  if (headers['if-match'] !== undefined) {
    const { etag } = await s3rver.store.getMetadata(bucket, key.join('/')).catch(() => ({}))
    if (etag !== undefined && etag !== headers['if-match'])
      return refuse(response, 412, 'PreconditionFailed', 'At least one of the preconditions did not hold')
  }
  const whole = new Readable({ read() {} })
  whole.push(body)
  whole.push(null)
  const { url: target, httpVersionMajor, socket } = request
  return handle(Object.assign(whole, { method, headers, url: target, httpVersionMajor, socket }), response)
}

const server = createServer((request, response) => {
  respond(request, response).catch((error) => {
    // a client that went away has sent half of its request: nothing is stored of it
    if (request.complete) refuse(response, error.status ?? 500, error.code ?? 'InternalError', escaped(error.message))
  })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin
  .on('end', () => {
    rmSync(directory, { recursive: true, force: true })
    process.exit()
  })
  .resume()
