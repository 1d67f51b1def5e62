import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { HttpOutletOptions } from '../../../src/connectors/http/outlet/outlet-options.js'
import { pushed, quick, started, stoppable, target } from '../../helpers/http-outlets.js'
import { captureLogs } from '../../helpers/logs.js'
import { setEnvironment, startProxy } from '../../helpers/proxies.js'
import { countConnections, listen, makeCertificate, serveTls } from '../../helpers/servers.js'

/** Starts a server of sockets, which is called with each connection and the data that come on it. */
async function sockets(t: Test, onData: (socket: Socket, text: string, connection: number) => void) {
  let connections = 0
  const open = new Set<Socket>()
  const texts: string[] = []
  const server = createServer((socket) => {
    const number = ++connections
    open.add(socket.on('error', () => undefined))
    socket.on('data', (data) => {
      texts.push(data.toString())
      onData(socket, data.toString(), number)
    })
  })
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${await listen(server)}`, texts, made: () => connections, server }
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'

t.test('429 and 503 are waited for as long as the server asks, in seconds or as a date', async (t) => {
  captureLogs(t)
  for (const [status, wait] of [
    [429, () => '1'],
    [503, () => new Date(Date.now() + 1000).toUTCString()],
  ] as const) {
    const fates = [status]
    const { url, got } = await target(t, (response) => {
      const fate = fates.shift()
      response.writeHead(fate ?? 200, fate === undefined ? {} : { 'retry-after': wait() }).end()
    })
    // a POST without a key, too: the server has done nothing
    const outlet = await started(t, url, { retry: { ...quick, maxDelay: 3 } })
    const begun = performance.now()
    t.same((await pushed(outlet, [1])).waits, [])
    t.equal(got.length, 2)
    t.ok(performance.now() - begun > (status === 429 ? 950 : 1), String(status))
  }
  const { url, got } = await target(t, (response) => response.writeHead(503, { 'retry-after': '3600' }).end())
  const { waits, why } = await pushed(await started(t, url, { retry: quick }), [1])
  t.same([waits, got.length], [[0], 1])
  t.match(why, /asks to wait 3600 s, more than the longest delay of its retries/)
})

t.test('a batch that is too large is halved, and each record comes once', async (t) => {
  const { messages } = captureLogs(t)
  const taken: number[] = []
  const { url, got } = await target(t, (response, { text }) => {
    const numbers = JSON.parse(text) as number[]
    const isTooLarge = numbers.length > 3 || numbers.includes(7)
    if (!isTooLarge) taken.push(...numbers)
    response.writeHead(isTooLarge ? 413 : 200).end()
  })
  const outlet = await started(t, url, { send: 'batch' })
  const { refused, waits } = await pushed(
    outlet,
    Array.from({ length: 10 }, (_, n) => n),
  )
  t.same([refused, waits], [[7], []], 'one record that is too large is refused')
  t.same(taken, [0, 1, 2, 3, 4, 5, 6, 8, 9])
  t.ok(got.length < 12)
  t.match(messages()[0], /10 records are too many for one request \(status 413\), so they are divided/)
})

t.test('a server that takes no large batches is not sent one again', async (t) => {
  captureLogs(t)
  const most = 1000
  const sizes: number[] = []
  const taken: unknown[] = []
  const { url } = await target(t, (response, { body, text }) => {
    sizes.push(body.length)
    if (body.length <= most) taken.push(...(JSON.parse(text) as unknown[]))
    response.writeHead(body.length > most ? 413 : 200).end()
  })
  const refusals = () => sizes.filter((size) => size > most).length
  for (const options of [
    { format: 'json' },
    { format: 'json', concurrency: 3 },
    { format: 'json', serialize: (value: unknown) => value },
    { format: 'json', body: (payloads: unknown) => payloads },
  ] as const) {
    sizes.length = taken.length = 0
    const outlet = await started(t, url, { send: 'batch', batchSize: 500, ...options })
    const all = Array.from({ length: 4000 }, (_, n) => ({ n, text: 'x'.repeat(n % 7) }))
    // eight requests of about 10,000 bytes: the first one finds the limit
    t.same((await pushed(outlet, all)).waits, [])
    const first = refusals()
    t.ok(first < 20 * ('concurrency' in options ? 3 : 1), `${first} were refused`)
    t.same((await pushed(outlet, all)).waits, [])
    t.equal(refusals(), first, 'and those of the next push are not larger')
    t.ok(sizes.length < (3 * 2 * 8 * 15_000) / most, `${sizes.length} requests`)
    t.strictSame(taken.length, 2 * all.length)
    if (!('concurrency' in options)) t.strictSame(taken, [...all, ...all], 'in their order')
  }
})

t.test('one record that is too large does not make batches small, and each such record is sent alone', async (t) => {
  captureLogs(t)
  const counts: number[] = []
  const { url } = await target(t, (response, { text }) => {
    const all = JSON.parse(text) as { size: number }[]
    counts.push(all.length)
    response.writeHead(all.some(({ size }) => size > 9) ? 413 : 200).end()
  })
  const outlet = await started(t, url, { send: 'batch' })
  const all = Array.from({ length: 256 }, (_, n) => ({ size: n === 100 ? 10 : 1 }))
  t.same((await pushed(outlet, all)).refused, [100])
  counts.length = 0
  t.same((await pushed(outlet, all.slice(101))).refused, [])
  t.ok(counts.length <= 2, `${counts.join()} records`)
  t.same((await pushed(outlet, [{ size: 10 }])).refused, [0], 'the server refuses it, and no limit of ours')
  const last = await started(t, url, { send: 'batch' })
  t.same((await pushed(last, [...all.slice(101), { size: 10 }])).refused, [155])
  counts.length = 0
  t.same((await pushed(last, all.slice(101))).refused, [])
  t.ok(counts.length <= 3, `${counts.join()} records`)
})

t.test('records that cannot be sent in parts make no later batch small', async (t) => {
  captureLogs(t)
  let status = 413
  const { url } = await target(t, (response) => response.writeHead(status).end())
  const body = (payloads: unknown) => {
    if ((payloads as unknown[]).length < 4) throw new Error('too few')
    return payloads
  }
  const outlet = await started(t, url, { send: 'batch', format: 'json', body })
  const four = [1, 2, 3, 4]
  t.same((await pushed(outlet, four)).refused, [0, 1, 2, 3])
  status = 200
  t.same(await pushed(outlet, four), { refused: [], waits: [], why: '' })
})

t.test('a push with trouble at many requests writes few lines', async (t) => {
  const { messages } = captureLogs(t)
  const numbers = Array.from({ length: 200 }, (_, n) => n)
  const divided = await target(t, (response, { text }) => {
    response.writeHead((JSON.parse(text) as number[]).length > 1 ? 413 : 200).end()
  })
  t.same(await pushed(await started(t, divided.url, { send: 'batch' }), numbers), { refused: [], waits: [], why: '' })
  const seen = new Set<string>()
  const busy = await target(t, (response, { text }) => {
    response.writeHead(seen.has(text) ? 200 : 429).end()
    seen.add(text)
  })
  t.same(await pushed(await started(t, busy.url, { retry: quick }), numbers), { refused: [], waits: [], why: '' })
  t.ok(messages().filter((line) => /divided|sends again/.test(line)).length < 12, `${messages().length} lines`)
})

t.test('what is sent again, in parts or alone, is what was pushed, though payloads change meanwhile', async (t) => {
  const server = await target(t, (response, { text }) => {
    response.writeHead((JSON.parse(text) as unknown[]).length > 2 ? 413 : 200).end()
  })
  const asked: number[] = []
  const outlet = await started(t, server.url, {
    send: 'batch',
    retry: { retries: 1, minDelay: 0.001 },
    idempotent: true,
    results: (_, records) => records.map(() => (asked.push(1) === 1 ? { retry: true } : true)),
  })
  const payloads = [{ at: 1 }, { at: 2.5, 'a "name"': [null, true] }, { at: 10n }, { at: 4 }, { at: 5, x: { y: 'z' } }]
  const sent = payloads.map((payload) => ({ ...payload, at: Number(payload.at) }))
  const pushing = pushed(outlet, payloads)
  for (const payload of payloads) payload.at = -1
  t.strictSame(await pushing, { refused: [], waits: [], why: '' })
  const bodies = server.got.map(({ text }) => JSON.parse(text) as { at: number }[])
  t.strictSame(bodies[0], sent)
  const taken = new Map(bodies.slice(1).flatMap((body) => body.map((one) => [one.at, one])))
  t.strictSame(
    sent.map(({ at }) => taken.get(at)),
    sent,
  )
  t.equal(taken.size, sent.length)
})

t.test('a server that answers 413 before it has read all, and hangs up', async (t) => {
  captureLogs(t)
  const { url } = await sockets(t, (socket, text) => {
    if (text.startsWith('POST')) {
      const length = Number(/content-length: (\d+)/.exec(text)?.[1])
      if (length < 100_000) socket.end(OK)
      else socket.end('HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    }
  })
  const outlet = await started(t, url, { send: 'batch', idempotencyKey: true })
  const outcome = await pushed(outlet, ['a'.repeat(3_000_000), 'b'])
  t.same([outcome.refused, outcome.waits], [[0], []], outcome.why)
})

t.test('which statuses refuse a record, and which mean that the server is unavailable', async (t) => {
  const { url } = await target(t, (response, { text }) => response.writeHead(Number(text)).end('hush'))
  const outlet = await started(t, url)
  const classes = async (options: HttpOutletOptions<unknown>, ...statuses: number[]) => {
    const made = await started<unknown>(t, url, options)
    const outcomes = await Promise.all(statuses.map((status) => pushed(made, [status])))
    return outcomes.map(({ refused, waits }) => (refused.length > 0 ? 'refused' : waits.length > 0 ? 'waits' : 'taken'))
  }
  const of = (count: number, what: string) => Array.from({ length: count }, () => what)
  t.same(await classes({}, 200, 201, 202, 204, 207, 226, 299), of(7, 'taken'))
  const refused = [400, 409, 410, 412, 413, 414, 415, 422, 428, 431, 451]
  t.same(await classes({}, ...refused), of(refused.length, 'refused'))
  const waits = [
    300, 304, 401, 402, 403, 404, 405, 406, 407, 408, 411, 418, 421, 423, 425, 429, 500, 501, 502, 503, 507,
  ]
  t.same(await classes({}, ...waits), of(waits.length, 'waits'))
  const chosen = { target: () => 'some' }
  t.same(await classes(chosen, 404, 405, 410, 401, 403, 500), [
    'refused',
    'refused',
    'refused',
    'waits',
    'waits',
    'waits',
  ])
  t.same(await classes({ refusedStatuses: [500], statuses: [200, 404] }, 500, 404, 422, 201), [
    'refused',
    'taken',
    'waits',
    'waits',
  ])
  const { error } = await pushed(outlet, [422])
  t.notMatch(inspect(error), /hush/)
})

t.test('a record that fails keeps no other back, unless in strict order', async (t) => {
  const { url, got } = await target(t, (response, { text }) => response.writeHead(text === '2' ? 500 : 200).end())
  t.same((await pushed(await started(t, url, { concurrency: 1 }), [1, 2, 3, 4])).waits, [1])
  t.equal(got.length, 4)
  got.length = 0
  t.same((await pushed(await started(t, url, { order: 'strict' }), [1, 2, 3, 4])).waits, [1, 2, 3])
  t.same(
    got.map(({ text }) => text),
    ['1', '2'],
  )
})

t.test('nothing more is sent when several requests in a row have failed', async (t) => {
  const { url, got } = await target(t, (response) => response.writeHead(500).end())
  const { waits, error } = await pushed(await started(t, url, { concurrency: 1 }), [...Array(50).keys()])
  t.equal(waits.length, 50)
  t.match(error, { code: 'DATABAY_HTTP', status: 500, retryable: true })
  t.equal(got.length, 3)
})

t.test('a request that may have arrived is sent again only when it may be made twice', async (t) => {
  captureLogs(t)
  const faults: { readonly [name: string]: (socket: Socket) => void } = {
    'reset after the request': (socket) => socket.resetAndDestroy(),
    'end after the request': (socket) => socket.end(),
    'cut in the headers': (socket) => socket.end('HTTP/1.1 200 OK\r\ncont'),
    'no HTTP': (socket) => socket.end('what?\r\n\r\n'),
  }
  for (const [name, fault] of Object.entries(faults)) {
    const server = await sockets(t, (socket, _, connection) => {
      if (connection === 1) fault(socket)
      else socket.end(OK)
    })
    const { waits, why } = await pushed(await started(t, server.url, { retry: quick }), [1])
    t.same([waits, server.made()], [[0], 1], name)
    t.match(why, /it may have arrived/, name)
    if (name === 'no HTTP') continue
    t.match(why, /it was not sent again, as it may not be made twice: see the option idempotencyKey/, name)
    for (const options of [{ idempotencyKey: true }, { method: 'PUT' }, { idempotent: true }] as const) {
      const other = await sockets(t, (socket, _, connection) => {
        if (connection === 1) fault(socket)
        else socket.end(OK)
      })
      t.same((await pushed(await started(t, other.url, { retry: quick, ...options }), [1])).waits, [], name)
      t.equal(other.made(), 2)
    }
  }
})

t.test('a server error of a POST without a key is not tried again', async (t) => {
  captureLogs(t)
  const { url, got } = await target(t, (response) => response.writeHead(500).end())
  const { why } = await pushed(await started(t, url, { retry: quick }), [1])
  t.equal(got.length, 1)
  t.match(why, /has the status 500; it was not sent again, as it may not be made twice: see the option idempotencyKey/)
  await pushed(await started(t, url, { retry: quick, idempotencyKey: true }), [1])
  t.equal(got.length, 4)
})

t.test('a server that is not reached is tried again', async (t) => {
  const { messages } = captureLogs(t)
  const closed = createServer()
  const port = await listen(closed)
  closed.close()
  const { waits, why } = await pushed(await started(t, `http://127.0.0.1:${port}`, { retry: quick }), [1])
  t.same(waits, [0])
  t.match(why, /ECONNREFUSED/)
  t.notMatch(why, /may have arrived/)
  t.equal(messages().filter((line) => line.includes('sends again')).length, 2)
})

t.test('a server that hangs: before the headers, in the body, and after a while', async (t) => {
  captureLogs(t)
  const hanging = await sockets(t, () => undefined)
  const short = { milliseconds: 60 }
  const before = await pushed(await started(t, hanging.url, { headersTimeout: short }), [1])
  t.same(before.waits, [0])
  t.match(before.why, /Headers Timeout Error; it may have arrived/)
  const whole = await pushed(await started(t, hanging.url, { timeout: short, retry: quick }), [1])
  t.match(whole.why, /no response within 60 ms; it may have arrived/)
  const inBody = await sockets(t, (socket) => socket.write('HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n12'))
  t.same((await pushed(await started(t, inBody.url, { timeout: 10 }), [1])).waits, [], 'the status counts')
  const read = { results: () => undefined, bodyTimeout: short }
  const needed = await pushed(await started(t, inBody.url, read), [1])
  t.same(needed.waits, [0])
  t.match(needed.why, /Body Timeout Error; it may have arrived/)
})

t.test('a response that is larger than its limit, or a bomb', async (t) => {
  const large = await target(t, (response) => {
    const chunk = Buffer.alloc(65_536)
    let left = 400
    const more = () => {
      if (left-- <= 0) response.end()
      else if (response.write(chunk)) setImmediate(more)
      else response.once('drain', more)
    }
    more()
  })
  const outlet = await started(t, large.url, { maxBodySize: 100_000 })
  t.same((await pushed(outlet, [1, 2])).waits, [], 'the status counts')
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  const bombs = await target(t, (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
  t.same((await pushed(await started(t, bombs.url), [1])).waits, [])
  const judging = await pushed(await started(t, bombs.url, { results: () => undefined }), [1])
  t.match(judging.why, /with its body, the response is larger than maxBodySize, which is 1048576 bytes/)
  t.ok(judging.error !== undefined)
})

t.test('redirects: 307 and 308 within the origin, if they are to be followed; no others', async (t) => {
  const other = await target(t)
  const { url, got } = await target(t, (response, { url: path }) => {
    const [, status, to] = /^\/(\d+)\/(.*)$/.exec(path) ?? []
    if (status === undefined) return response.end()
    return response.writeHead(Number(status), { location: to === 'other' ? `${other.url}/x` : `/${to}` }).end()
  })
  const of = async (path: string, options: HttpOutletOptions = {}) => {
    got.length = 0
    const { waits, why } = await pushed(await started(t, `${url}${path}`, { redirects: 2, ...options }), [1])
    return waits.length > 0 ? why : got.map(({ method, url: at, text }) => `${method} ${at} ${text}`)
  }
  t.same(await of('/307/a'), ['POST /307/a 1', 'POST /a 1'])
  t.same(await of('/308/307/a', { method: 'PUT' }), ['PUT /308/307/a 1', 'PUT /307/a 1', 'PUT /a 1'])
  t.match(await of('/308/307/307/a'), /more than 2 redirects/)
  t.match(await of('/307/a', { redirects: 0 }), /has the status 307, a redirect: see the option redirects/)
  for (const status of [301, 302, 303]) {
    t.match(await of(`/${status}/a`), /a redirect that would lose the body: is the URL right\?/)
  }
  t.match(await of('/307/other'), /is sent on to another origin, http:.*, which gets nothing of this one/)
  t.equal(other.got.length, 0)
})

t.test('certificates that are not trusted', async (t) => {
  captureLogs(t)
  const identity = makeCertificate(t.testdir())
  if (identity === undefined) {
    t.pass('skipped: there is no openssl')
    return
  }
  let requests = 0
  const { url, server } = await serveTls(t, identity, (request, response) => {
    requests++
    request.resume()
    response.end()
  })
  const { count } = countConnections(server)
  const { waits, why } = await pushed(await started(t, url, { retry: quick }), [1])
  t.same([waits, requests, count.made], [[0], 0, 1])
  t.match(why, /self-signed certificate: its certificate is not trusted; name its authority by the option cacert/)
  t.same((await pushed(await started(t, url, { cacert: identity.file }), [1])).waits, [])
  t.equal(requests, 1)
  const missing = started(t, url, { cacert: '/nowhere.pem' })
  await t.rejects(missing, { code: 'DATABAY_FILE', message: /^HttpOutlet: / })
  const redirecting = await serveTls(t, identity, (_, response) =>
    response.writeHead(307, { location: url.replace('https', 'http') }).end(),
  )
  const down = await pushed(await started(t, redirecting.url, { redirects: 1, cacert: identity.file }), [1])
  t.match(down.why, /is sent on to another origin, http:/)
})

t.test('proxies: of the option, or of the environment', async (t) => {
  const { url, got } = await target(t)
  const proxy = await startProxy(t)
  const withKey = new URL(proxy.url)
  withKey.username = 'me'
  withKey.password = 'hush'
  await pushed(await started(t, `${url}/a`, { proxy: withKey.href }), [1])
  t.match(proxy.asked, [{ what: `POST ${url}/a`, authorization: `Basic ${btoa('me:hush')}` }])
  setEnvironment(t, { http_proxy: proxy.url, HTTP_PROXY: undefined, no_proxy: undefined, NO_PROXY: undefined })
  await pushed(await started(t, `${url}/b`), [2])
  await pushed(await started(t, `${url}/c`, { proxy: false }), [3])
  t.equal(proxy.asked.length, 2)
  t.same(
    got.map(({ text }) => text),
    ['1', '2', '3'],
  )
  const refusing = await startProxy(t, { refuse: () => 407 })
  const { waits, why } = await pushed(await started(t, 'https://localhost:1/', { proxy: refusing.url }), [1])
  t.same(waits, [0])
  t.match(why, /407/)
})

t.test('a connection that the server closes while it is idle', async (t) => {
  captureLogs(t)
  const { url, texts } = await sockets(t, (socket, _, connection) => {
    // it closes as soon as the second request comes on the connection
    if (connection === 1 && socket.bytesWritten > 0) socket.resetAndDestroy()
    else socket.write(OK)
  })
  const outlet = await started(t, url, { method: 'PUT', retry: quick, concurrency: 1 })
  t.same((await pushed(outlet, [1, 2, 3])).waits, [])
  const bodies = texts.map((text) => text.slice(-1))
  t.same([...new Set(bodies)], ['1', '2', '3'])
  t.ok(bodies.length > 3, 'one was sent again')
})

t.test(
  'an idle connection is not kept for requests that may not be made twice, as a server may close it',
  async (t) => {
    const open = async (options: HttpOutletOptions) => {
      const { url, made } = await sockets(t, (socket) => socket.write(OK))
      const outlet = await started(t, url, options)
      t.same((await pushed(outlet, [1])).waits, [])
      await new Promise((resolve) => setTimeout(resolve, 2500))
      t.same((await pushed(outlet, [2])).waits, [])
      return made()
    }
    t.same(await Promise.all([open({}), open({ method: 'PUT' }), open({ idempotencyKey: true })]), [2, 1, 1])
  },
)

t.test('responses of 1xx that nobody asked for are left out', async (t) => {
  const interim = {
    '100': ['HTTP/1.1 100 Continue\r\n\r\n', ''],
    'a 100 with headers, and another': ['HTTP/1.1 100 Continue\r\nx: y\r\n\r\nHTTP/1.1 100 \r\n\r\n', ''],
    'a 100 that comes in two parts': ['HTTP/1.1 100 Cont', 'inue\r\n\r\n'],
    '103': ['HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', ''],
    '102 and 100': ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n', ''],
  }
  const text = 'HTTP/1.1 100 Continue\r\n\r\n'
  for (const [name, [first = '', second = '']] of Object.entries(interim)) {
    for (const apart of [false, true]) {
      const { url, made } = await sockets(t, (socket) => {
        const parts = [first, second, `HTTP/1.1 200 OK\r\ncontent-length: ${2 * text.length}\r\n\r\n`, text, text]
        if (!apart) socket.write(parts.join(''))
        else for (const [n, part] of parts.entries()) setTimeout(() => socket.write(part), 10 * n)
      })
      const bodies: unknown[] = []
      const outlet = await started(t, url, { concurrency: 1, results: ({ body }) => void bodies.push(body) })
      t.same(await pushed(outlet, [1, 2, 3, 4]), { refused: [], waits: [], why: '' }, name)
      t.strictSame(bodies, Array(4).fill(text + text), 'what a response holds stays as it is')
      // one rests while the other is used
      t.ok(made() <= 2, `${made()} connections`)
    }
  }
})

t.test('connections are used again', async (t) => {
  const { url, server } = await target(t, (response) => response.end('x'.repeat(1000)))
  const { count } = countConnections(server)
  await pushed(await started(t, url, { concurrency: 2 }), [...Array(40).keys()])
  t.ok(count.made <= 4, `${count.made} connections`)
})

t.test('a push that is told to stop ends at once, and says what was taken', async (t) => {
  let arrived = 0
  const { url } = await target(t, (response, { text }) => {
    arrived++
    if (Number(text) < 2) response.end()
  })
  const outlet = await started(t, url, { concurrency: 1 })
  const { update, stop } = stoppable()
  const pushing = pushed(outlet, [0, 1, 2, 3], update)
  while (arrived < 3) await new Promise((resolve) => setTimeout(resolve, 5))
  stop()
  const { error, why } = await pushing
  t.match(error, { code: 'DATABAY_PARTIAL_PUSH', taken: 2 })
  t.equal(why, "[ 'told to stop', 'told to stop' ]")
  t.equal(arrived, 3)
  const early = stoppable()
  early.stop()
  t.match((await pushed(outlet, [5], early.update)).error, { message: 'told to stop' })
  t.equal(arrived, 3)
})

t.test('a shutdown waits for a push', async (t) => {
  let answer: (() => void) | undefined
  const { url, server } = await target(t, (response) => {
    answer = () => response.end()
  })
  const outlet = await started(t, url)
  const { count, allClosed } = countConnections(server)
  const pushing = pushed(outlet, [1])
  await once(server, 'request')
  const closing = outlet.onShutdown()
  while (answer === undefined) await new Promise((resolve) => setImmediate(resolve))
  answer()
  t.same((await pushing).waits, [])
  await closing
  await allClosed()
  t.equal(count.open, 0)
})
