import { createServer } from 'node:net'
import t from 'tap'
import { Cancellation } from '../../../src/core/cancellation.js'
import { TransferCancelledError } from '../../../src/base/errors.js'
import type { HttpInletOptions } from '../../../src/connectors/http/inlet/inlet-options.js'
import { retryAfter } from '../../../src/connectors/http/retry.js'
import { Update } from '../../../src/core/update.js'
import { failureOf, inlet, update } from '../../helpers/http-inlets.js'
import { captureLogs } from '../../helpers/logs.js'
import { listen, serve } from '../../helpers/servers.js'

const soon = { milliseconds: 1 }
const retry = { retries: 3, minDelay: soon }

t.test('what may pass is tried again, and logged', async (t) => {
  for (const status of [408, 425, 429, 500, 502, 503, 504]) {
    const logs = captureLogs(t)
    let asked = 0
    const { url } = await serve(t, (_, response) => response.writeHead(++asked < 3 ? status : 200).end('1'))
    t.equal(await inlet(t, `${url}/?token=secret`, { retry }).pull(update), 1)
    t.equal(asked, 3)
    const reason = `HttpInlet: ${url}/?…: the response has the status ${status}`
    t.match(logs.entries(), [
      { level: 40, name: 'databay.HttpInlet', msg: `http_to_null.0 trying again after try 1: ${reason}` },
      { level: 40, msg: `http_to_null.0 trying again after try 2: ${reason}` },
    ])
    t.equal(logs.lines.length, 2)
    t.notMatch(logs.lines.join(), 'secret')
  }
})

t.test('what does not pass is not tried again', async (t) => {
  captureLogs(t)
  for (const status of [302, 304, 400, 401, 403, 404, 410, 422, 501]) {
    let asked = 0
    const { url } = await serve(t, (_, response) => {
      asked++
      response.writeHead(status).end()
    })
    t.match(await failureOf(t, inlet(t, url, { retry }).pull(update)), { status })
    t.equal(asked, 1, `${status}`)
  }
  let asked = 0
  const { url } = await serve(t, (_, response) => {
    asked++
    response.end('no JSON')
  })
  t.match(await failureOf(t, inlet(t, url, { retry }).pull(update)), { failure: 'body' })
  t.equal(asked, 1)
})

t.test('a body that is cut is tried again, also when the connection was to be closed behind it', async (t) => {
  for (const [start, rest] of [
    ['content-length: 5\r\n\r\n[1,', '2]'],
    ['transfer-encoding: chunked\r\n\r\n3\r\n[1,\r\n', '2\r\n2]\r\n0\r\n\r\n'],
  ] as const) {
    const logs = captureLogs(t)
    let asked = 0
    const server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', () => {
          const head = `HTTP/1.1 200 OK\r\nconnection: close\r\n${start}`
          socket.end(++asked === 1 ? head : head + rest)
        })
    })
    t.teardown(() => server.close())
    t.same(await inlet(t, `http://127.0.0.1:${await listen(server)}`, { retry }).pull(update), [1, 2])
    t.equal(asked, 2)
    t.equal(logs.lines.length, 1)
  }
})

t.test('the last failure counts when no try is left', async (t) => {
  captureLogs(t)
  let asked = 0
  const { url } = await serve(t, (_, response) => response.writeHead(++asked < 3 ? 500 : 503).end())
  const options = { retry: { retries: 2, minDelay: soon } }
  t.match(await failureOf(t, inlet(t, url, options).pull(update)), { failure: 'status', status: 503 })
  t.equal(asked, 3)
})

t.test('a request is tried twice again, unless told otherwise', async (t) => {
  captureLogs(t)
  let asked = 0
  const { url } = await serve(t, (_, response) => response.writeHead(++asked < 3 ? 500 : 200).end('1'))
  t.equal(await inlet(t, url, { retry: { minDelay: soon } }).pull(update), 1)
})

t.test('a connection that is reset or cut is tried again, and a body is whole or not there', async (t) => {
  captureLogs(t)
  let asked = 0
  const { url } = await serve(t, (request, response) => {
    asked++
    if (asked === 1) request.socket.resetAndDestroy()
    else if (asked === 2) request.socket.destroy()
    else if (asked === 3) {
      response.writeHead(200, { 'content-length': '5' }).write('[1')
      setImmediate(() => response.destroy())
    } else response.end('[1,2]')
  })
  t.same(await inlet(t, url, { retry }).pull(update), [1, 2])
  t.equal(asked, 4)
})

t.test('a server that hangs is tried again after the timeout of a try', async (t) => {
  captureLogs(t)
  const cases: [HttpInletOptions, string][] = [
    [{ headersTimeout: { milliseconds: 50 } }, ''],
    [{ bodyTimeout: { milliseconds: 50 } }, '[1'],
  ]
  for (const [limit, begun] of cases) {
    let asked = 0
    const { url } = await serve(t, (_, response) => {
      if (++asked > 1) response.end('[1,2]')
      else if (begun !== '') response.write(begun)
    })
    t.same(await inlet(t, url, { retry, ...limit }).pull(update), [1, 2])
    t.equal(asked, 2)
  }
})

t.test('a server that is not there yet is tried again', async (t) => {
  captureLogs(t)
  const closed = createServer()
  const port = await listen(closed)
  closed.close()
  const { server } = await serve(t, (_, response) => response.end('1'))
  const options = { retry: { retries: 100, minDelay: { milliseconds: 5 }, maxDelay: { milliseconds: 20 } } }
  const pulled = inlet(t, `http://127.0.0.1:${port}`, options).pull(update)
  server.close()
  setTimeout(() => server.listen(port, '127.0.0.1'), 50)
  t.equal(await pulled, 1)
})

t.test('a request that must not be made twice is made once, unless it may', async (t) => {
  captureLogs(t)
  for (const method of ['POST', 'PATCH']) {
    let asked = 0
    const { url } = await serve(t, (_, response) => response.writeHead(++asked < 3 ? 503 : 200).end('1'))
    t.match(await failureOf(t, inlet(t, url, { retry, method }).pull(update)), { status: 503 })
    t.equal(asked, 1)
    t.equal(await inlet(t, url, { retry, method, idempotent: true }).pull(update), 1)
    t.equal(asked, 3)
  }
  let asked = 0
  const { url } = await serve(t, (_, response) => response.writeHead(++asked < 3 ? 503 : 200).end('1'))
  await failureOf(t, inlet(t, url, { retry, idempotent: false }).pull(update))
  t.equal(asked, 1)
})

t.test('a server is given the time that it asks for', async (t) => {
  captureLogs(t)
  const asks = [{ 'retry-after': '1' }, { 'retry-after': '0' }, { 'retry-after': 'soon' }]
  for (const headers of asks) {
    const times: number[] = []
    const { url } = await serve(t, (_, response) => {
      times.push(performance.now())
      if (times.length > 1) response.end('1')
      else response.writeHead(429, headers).end()
    })
    t.equal(await inlet(t, url, { retry }).pull(update), 1)
    const waited = times[1]! - times[0]!
    t.ok(headers['retry-after'] === '1' ? waited >= 990 : waited < 900, `${headers['retry-after']}: ${waited}`)
  }
})

t.test('a server that asks for more time than there is, is not asked again', async (t) => {
  let asked = 0
  const { url } = await serve(t, (_, response) => {
    asked++
    response.writeHead(503, { 'retry-after': '120' }).end()
  })
  const brief = await failureOf(t, inlet(t, url, { retry: { retries: 9 } }).pull(update))
  const status = `HttpInlet: ${url}/: the response has the status 503, and asks to wait 120 s, more than`
  t.match(brief, { status: 503, retryAfter: 120_000, message: `${status} the longest delay of its retries` })
  const patient = inlet(t, url, { timeout: 10, retry: { retries: 9, maxDelay: { hours: 1 } } })
  t.match(await failureOf(t, patient.pull(update)), { message: `${status} what its timeout leaves` })
  t.equal(asked, 2)
  const once = await failureOf(t, inlet(t, url).pull(update))
  t.match(once, { retryAfter: 120_000, message: /has the status 503$/ }, 'where there is no further try, that is why')
})

t.test('the timeout holds for all tries together, and says what failed before', async (t) => {
  captureLogs(t)
  let asked = 0
  const { url } = await serve(t, (_, response) => {
    if (++asked < 3) response.writeHead(503).end()
  })
  const options = { timeout: { milliseconds: 800 }, retry: { retries: Infinity, minDelay: soon } }
  const error = await failureOf(t, inlet(t, url, options).pull(update))
  t.match(error, { failure: 'timeout', message: /no whole response within 800 ms; what failed before: .* status 503/ })
  t.equal(asked, 3)
})

t.test('a wait that the timeout would end is not begun', async (t) => {
  let asked = 0
  const { url } = await serve(t, (_, response) => {
    asked++
    response.writeHead(503).end()
  })
  const options = { timeout: 2, retry: { retries: Infinity, minDelay: 5 } }
  t.match(await failureOf(t, inlet(t, url, options).pull(update)), { failure: 'status', status: 503 })
  t.equal(asked, 1)
})

t.test('a transfer that is cancelled waits no longer', async (t) => {
  const { url } = await serve(t, (_, response) => response.writeHead(503, { 'retry-after': '20' }).end())
  const cancellation = new Cancellation()
  const reason = new TransferCancelledError('enough')
  const logs = captureLogs(t)
  const pulled = inlet(t, url, { retry: { retries: 9 } }).pull(new Update(['a'], 0, cancellation))
  while (logs.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  cancellation.cancel(reason)
  await t.rejects(pulled, reason)
})

t.test('retry-after is a number of seconds, or a date, by the clock of the server', async (t) => {
  const date = 'Wed, 21 Oct 2015 07:28:00 GMT'
  t.equal(retryAfter('120', undefined), 120_000)
  t.equal(retryAfter(' 0 ', undefined), 0)
  t.equal(retryAfter(date, 'Wed, 21 Oct 2015 07:27:30 GMT'), 30_000)
  t.equal(retryAfter(date, 'Wed, 21 Oct 2015 07:29:00 GMT'), 0)
  t.equal(retryAfter(date, undefined), 0, 'by our clock, when it does not tell its own')
  t.equal(Math.round(retryAfter(new Date(Date.now() + 60_000).toUTCString(), 'no date')! / 10_000), 6)
  t.equal(retryAfter(['5', '9'], undefined), 5000)
  t.equal(retryAfter('1.5', undefined), 1500)
  t.equal(retryAfter('9'.repeat(400), undefined), Infinity)
  for (const form of ['30, 30', '30;', '30s', '30 seconds', '"30"']) t.equal(retryAfter(form, undefined), 30_000, form)
  const forms = [
    'Wednesday, 21-Oct-15 07:28:00 GMT',
    'Wed Oct 21 07:28:00 2015',
    '2015-10-21T07:28:00Z',
    '2015-10-21T09:28:00.0+02:00',
    'Wed, 21 Oct 2015 07:28:00 UTC',
    'Wed, 21 Oct 2015 09:28:00 +0200',
    '21 Oct 2015 07:28:00 GMT',
    'wed, 21 oct 2015 07:28:00 gmt',
  ]
  for (const form of forms) t.equal(retryAfter(form, 'Wed, 21 Oct 2015 07:27:30 GMT'), 30_000, form)
  for (const header of [
    undefined,
    '',
    'soon',
    '-5',
    '1e3',
    '4 minutes',
    '2015-10-21',
    '2015-10-21T07:28:00',
    'Wed 5',
    'Wed, 99 Oct 2015 07:28:00 GMT',
  ]) {
    t.equal(retryAfter(header, undefined), undefined, String(header))
  }
})

t.test('a server that refuses for a while, and says for how long, is tried again', async (t) => {
  captureLogs(t)
  for (const status of [400, 403, 413, 501]) {
    let asked = 0
    const { url } = await serve(t, (_, response) => {
      response.writeHead(++asked < 2 ? status : 200, { 'retry-after': '0' }).end('1')
    })
    t.equal(await inlet(t, url, { retry }).pull(update), 1, `${status}`)
  }
  let asked = 0
  const { url } = await serve(t, (_, response) => {
    asked++
    response.writeHead(302, { 'retry-after': '0' }).end()
  })
  await failureOf(t, inlet(t, url, { retry }).pull(update))
  t.equal(asked, 1, 'but not one that sends elsewhere')
})

t.test('retryStatuses says which statuses are tried again', async (t) => {
  captureLogs(t)
  const cases: [number, readonly number[], boolean][] = [
    [403, [403, 503], true],
    [404, [404], true],
    [503, [403], false],
    [429, [], false],
  ]
  for (const [status, retryStatuses, again] of cases) {
    let asked = 0
    const { url } = await serve(t, (_, response) => {
      response.writeHead(++asked < 2 ? status : 200, { 'retry-after': '0' }).end('1')
    })
    const pulled = inlet(t, url, { retry, retryStatuses }).pull(update)
    if (again) t.equal(await pulled, 1, `${status}`)
    else t.match(await failureOf(t, pulled), { failure: 'status', status })
  }
})
