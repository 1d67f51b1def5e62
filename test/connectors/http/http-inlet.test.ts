import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { InvalidOptionError } from '../../../src/base/errors.js'
import { HttpInlet } from '../../../src/connectors/http/http-inlet.js'
import type { HttpInletOptions } from '../../../src/connectors/http/inlet/inlet-options.js'
import { failureOf, inlet, pullOf, update } from '../../helpers/http-inlets.js'
import { captureLogs } from '../../helpers/logs.js'
import { countConnections, serve } from '../../helpers/servers.js'

t.test('an array is one record per element, anything else one record', async (t) => {
  t.same(await pullOf(t, '[{"a":1},{"a":2}]'), [{ a: 1 }, { a: 2 }])
  t.same(await pullOf(t, '[[1,2],[3]]'), [[1, 2], [3]])
  t.same(await pullOf(t, '{"a":1}'), { a: 1 })
  t.equal(await pullOf(t, '7'), 7)
  t.equal(await pullOf(t, 'null'), null)
})

t.test('without json, the text is one record, in the charset that the response names', async (t) => {
  t.equal(await pullOf(t, '[1]', { json: false }), '[1]')
  const latin = { 'content-type': 'text/plain; charset="iso-8859-1"' }
  t.equal(await pullOf(t, Buffer.from('né', 'latin1'), { json: false }, latin), 'né')
  t.equal(await pullOf(t, Buffer.from('\uFEFFné'), { json: false }, { 'content-type': 'text/plain' }), 'né')
  const unknown = { 'content-type': 'text/plain; charset=klingon' }
  t.equal(await pullOf(t, 'n\u00e9', { json: false }, unknown), 'n\u00e9', 'UTF-8 when nobody knows it')
})

t.test('a response without a body is no records', async (t) => {
  t.same(await pullOf(t, ''), [])
  t.same(await pullOf(t, '', { json: false }), [])
  t.same(await pullOf(t, '', {}, {}, 204), [])
  t.same(await pullOf(t, '', {}, { 'content-encoding': 'klingon' }, 204), [])
  t.same(await pullOf(t, '[1]', { method: 'head' }), [])
})

t.test('the request carries parameters, headers, and credentials of the URL', async (t) => {
  const requests: IncomingMessage[] = []
  const { url } = await serve(t, (request, response) => {
    requests.push(request)
    response.end('1')
  })
  const withUser = url.replace('http://', 'http://us%40er:pa%ss@')
  const params = { q: 'a b', n: [1, 2], on: true }
  await inlet(t, `${withUser}/x?given=1#part`, { params }).pull(update)
  t.equal(requests[0]?.url, '/x?given=1&q=a+b&n=1&n=2&on=true')
  const basic = Buffer.from('us@er:pa%ss').toString('base64')
  t.match(requests[0]?.headers, {
    authorization: `Basic ${basic}`,
    'accept-encoding': 'gzip, deflate, br',
    'user-agent': 'databay',
  })
  const headers = { Authorization: 'Bearer abc', 'USER-AGENT': 'mine', 'x-key': '1' }
  await inlet(t, withUser, { headers }).pull(update)
  t.match(requests[1]?.headers, { authorization: 'Bearer abc', 'user-agent': 'mine', 'x-key': '1' })
  t.same(headers, { Authorization: 'Bearer abc', 'USER-AGENT': 'mine', 'x-key': '1' })
})

t.test('the request can have a method and a body', async (t) => {
  const { url } = await serve(t, (request, response) => {
    void text(request).then((body) => response.end(JSON.stringify([request.method, body])))
  })
  t.same(await inlet(t, url).pull(update), ['GET', ''])
  t.same(await inlet(t, url, { body: 'query' }).pull(update), ['POST', 'query'])
  t.same(await inlet(t, url, { method: 'put', body: Buffer.from('é') }).pull(update), ['PUT', 'é'])
})

t.test('a status other than 2xx is an error, unless it is expected', async (t) => {
  for (const status of [302, 404, 500]) {
    const { url } = await serve(t, (request, response) =>
      response.writeHead(request.url === '/' ? 200 : status, { location: '/' }).end('"a body"'),
    )
    const one = inlet(t, `${url.replace('//', '//user:secret@')}/data?token=secret`)
    const error = await failureOf(t, one.pull(update))
    t.match(error, { failure: 'status', status })
    const hint = status === 302 ? ', a redirect: see the option redirects' : ''
    t.equal(error.message, `HttpInlet: ${url}/data?…: the response has the status ${status}${hint}`)
  }
  t.equal(await pullOf(t, '"gone"', { statuses: [200, 410] }, {}, 410), 'gone')
  t.match(await failureOf(t, pullOf(t, '1', { statuses: [200] }, {}, 201)), { status: 201 })
})

t.test('an inlet can be started again, and shut down without a start', async (t) => {
  const { url } = await serve(t, (_, response) => response.end('1'))
  const one = inlet(t, url)
  await one.onShutdown()
  await one.onStart()
  await one.onShutdown()
  await one.onStart()
  t.equal(await one.pull(update), 1)
})

t.test('an inlet that was shut down pulls nothing, also by connections that others have', async (t) => {
  const { server, url } = await serve(t, (_, response) => response.end('1'))
  const { count, allClosed } = countConnections(server)
  const other = inlet(t, url)
  t.equal(await other.pull(update), 1)
  const one = inlet(t, url)
  const message = `HttpInlet: ${url}/: the inlet was shut down`
  await one.onStart()
  const pulled = one.pull(update)
  await one.onShutdown()
  t.match(await failureOf(t, pulled), { failure: 'connection', message })
  t.match(await failureOf(t, one.pull(update)), { failure: 'connection', message })
  await other.onShutdown()
  await allClosed()
  t.equal(count.made, 1, 'no share in the connections was left open')
})

t.test('a body that is compressed is unpacked', async (t) => {
  const body = JSON.stringify(['é'.repeat(1000)])
  const expected = ['é'.repeat(1000)]
  const cases: [string, Uint8Array][] = [
    ['gzip', gzipSync(body)],
    ['X-GZIP', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['deflate', deflateRawSync(body)],
    ['br', brotliCompressSync(body)],
    ['identity', Buffer.from(body)],
    ['gzip, br', brotliCompressSync(gzipSync(body))],
    ['gzip, gzip', gzipSync(gzipSync(body))],
  ]
  for (const [encoding, bytes] of cases) {
    t.same(await pullOf(t, bytes, {}, { 'content-encoding': encoding }), expected, encoding)
  }
})

t.test('a pull is logged, without what may be secret', async (t) => {
  const logs = captureLogs(t, 'info')
  const { url } = await serve(t, (_, response) => response.end('1'))
  const withSecrets = `${url.replace('//', '//user:secret@')}/a?token=secret`
  await inlet(t, withSecrets, { headers: { 'x-key': 'secret' } }).pull(update)
  await inlet(t, `${url}/b`).pull(update)
  t.match(logs.entries(), [
    { name: 'databay.HttpInlet', level: 30, msg: `http_to_null.0 pulling ${url}/a?…` },
    { name: 'databay.HttpInlet', level: 30, msg: `http_to_null.0 received ${url}/a?…` },
    { msg: `http_to_null.0 pulling ${url}/b` },
    { msg: `http_to_null.0 received ${url}/b` },
  ])
  t.notMatch(logs.lines.join(''), 'secret')
})

t.test('an inlet names itself without what may be secret, and has no state', async (t) => {
  const one = new HttpInlet('https://user:secret@some.test/path?token=secret', { metadata: { a: 1 } })
  t.equal(String(one), 'HttpInlet(https://some.test/path)')
  t.equal(String(new HttpInlet(new URL('http://some.test:81'))), 'HttpInlet(http://some.test:81/)')
  t.same(one.newRecord(1).metadata, { a: 1, __inlet__: 'HttpInlet(https://some.test/path)' })
  t.equal(one.saveState(), undefined)
})

t.test('a URL that is no text is an error that names its type', async (t) => {
  const message = "HttpInlet.url: expected a URL that starts with http:// or https://, got 'number'"
  t.throws(() => new HttpInlet(7 as unknown as string), { message })
})

t.test('options are checked, and what may be secret is not shown', async (t) => {
  const url = 'http://some.test'
  const cases: [unknown, unknown, string][] = [
    ['secret', {}, 'HttpInlet.url'],
    [undefined, {}, 'HttpInlet.url'],
    [{ href: 'secret' }, {}, 'HttpInlet.url'],
    ['ftp://user:secret@some.test', {}, 'HttpInlet.url'],
    [url, null, 'HttpInlet.options'],
    [url, { verify: false }, 'HttpInlet.verify'],
    [url, { params: 'secret' }, 'HttpInlet.params'],
    [url, { params: ['secret'] }, 'HttpInlet.params'],
    [url, { params: { key: { secret: 1 } } }, 'HttpInlet.params.key'],
    [url, { params: { key: ['a', null] } }, 'HttpInlet.params.key'],
    [url, { params: { key: 'secret\ud800' } }, 'HttpInlet.params.key'],
    [url, { headers: 'secret' }, 'HttpInlet.headers'],
    [url, { headers: { 'x-key: secret': '' } }, 'HttpInlet.headers'],
    [url, { headers: { 'x-key': 'secret\r\nx' } }, 'HttpInlet.headers.x-key'],
    [url, { headers: { 'x-key': undefined } }, 'HttpInlet.headers.x-key'],
    [url, { headers: { 'x-key': 7 } }, 'HttpInlet.headers.x-key'],
    [url, { method: 'GET /' }, 'HttpInlet.method'],
    [url, { method: 7 }, 'HttpInlet.method'],
    [url, { body: { secret: 1 } }, 'HttpInlet.body'],
    [url, { json: 'yes' }, 'HttpInlet.json'],
    [url, { cacert: '' }, 'HttpInlet.cacert'],
    [url, { timeout: 0 }, 'HttpInlet.timeout'],
    [url, { timeout: { days: 25 } }, 'HttpInlet.timeout'],
    [url, { connectTimeout: -1 }, 'HttpInlet.connectTimeout'],
    [url, { headersTimeout: '5' }, 'HttpInlet.headersTimeout'],
    [url, { bodyTimeout: { hour: 1 } }, 'HttpInlet.bodyTimeout.hour'],
    [url, { maxBodySize: 1.5 }, 'HttpInlet.maxBodySize'],
    [url, { statuses: 200 }, 'HttpInlet.statuses'],
    [url, { statuses: [] }, 'HttpInlet.statuses'],
    [url, { statuses: [99] }, 'HttpInlet.statuses'],
    [url, { format: 'xml' }, 'HttpInlet.format'],
    [url, { format: 'json', json: true }, 'HttpInlet.json'],
    [url, { retry: 3 }, 'HttpInlet.retry'],
    [url, { retry: { times: 3 } }, 'HttpInlet.retry.times'],
    [url, { retryStatuses: 503 }, 'HttpInlet.retryStatuses'],
    [url, { retryStatuses: [302] }, 'HttpInlet.retryStatuses'],
    [url, { idempotent: 'yes' }, 'HttpInlet.idempotent'],
    [url, { redirects: -1 }, 'HttpInlet.redirects'],
    [url, { next: 5 }, 'HttpInlet.next'],
    [url, { maxPages: 0 }, 'HttpInlet.maxPages'],
    [url, { conditional: 1 }, 'HttpInlet.conditional'],
    [url, { conditional: true, method: 'POST' }, 'HttpInlet.conditional'],
    [url, { conditional: true, next: () => undefined }, 'HttpInlet.conditional'],
    [url, { metadata: 'x' }, 'metadata'],
  ]
  for (const [given, options, option] of cases) {
    try {
      new HttpInlet(given as string, options as HttpInletOptions)
      t.fail(`${option} is not checked`)
    } catch (error) {
      t.ok(error instanceof InvalidOptionError)
      t.match(error, { option })
      t.notMatch((error as Error).message, /secret/, option)
    }
  }
})
