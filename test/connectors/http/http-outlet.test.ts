import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { HttpOutlet } from '../../../src/connectors/http/http-outlet.js'
import type { HttpOutletOptions } from '../../../src/connectors/http/outlet/outlet-options.js'
import { secret } from '../../../src/index.js'
import { captureLogs } from '../../helpers/logs.js'
import { pushed, quick, started, target } from '../../helpers/http-outlets.js'

t.test('each record is a request, of JSON', async (t) => {
  const { url, got } = await target(t)
  const outlet = await started(t, `${url}/orders?key=1`, { concurrency: 1 })
  t.same(await pushed(outlet, [{ id: 1 }, [1, 2], 'text', null]), { refused: [], waits: [], why: '' })
  t.same(
    got.map(({ method, url: path, text }) => [method, path, text]),
    [
      ['POST', '/orders?key=1', '{"id":1}'],
      ['POST', '/orders?key=1', '[1,2]'],
      ['POST', '/orders?key=1', '"text"'],
      ['POST', '/orders?key=1', 'null'],
    ],
  )
  t.match(got[0]?.headers, { 'content-type': 'application/json', 'content-length': '8', 'user-agent': 'databay' })
  t.equal(got[0]?.headers['accept-encoding'], undefined)
})

t.test('a batch is one request, divided by its size', async (t) => {
  const { url, got } = await target(t)
  const send = async (options: HttpOutletOptions, ...payloads: unknown[]) => {
    got.length = 0
    const outcome = await pushed(await started(t, url, { send: 'batch', ...options }), payloads)
    return [got.map(({ text }) => text), outcome.refused]
  }
  t.same(await send({}, 1, 'a', { b: 2 }), [['[1,"a",{"b":2}]'], []])
  t.same(await send({ format: 'ndjson' }, 1, { b: 'x\n' }), [['1\n{"b":"x\\n"}\n'], []])
  t.equal(got[0]?.headers['content-type'], 'application/x-ndjson')
  t.same(await send({ format: 'text' }, 'a', 'b'), [['a\nb\n'], []])
  t.same(await send({ format: 'text' }, 'a', 'b\nc', 'd'), [['a\nd\n'], [1]], 'a line end would make two of it')
  t.same(await send({ batchSize: 2 }, 1, 2, 3, 4, 5), [['[1,2]', '[3,4]', '[5]'], []])
  t.same(await send({ maxRequestSize: 9 }, 'aa', 'bb', 'ccccccccccc', 'd'), [['["aa"]', '["bb"]', '["d"]'], [2]])
  const body = (payloads: readonly { readonly id: number }[]) => ({ ids: payloads.map(({ id }) => id) })
  t.same(await send({ body }, { id: 1 }, { id: 2 }), [['{"ids":[1,2]}'], []])
  t.same(await send({ body, maxRequestSize: 11 }, { id: 1 }, { id: 2 }), [['{"ids":[1]}', '{"ids":[2]}'], []])
  t.same(await send({ body, format: 'form' }, { id: 1 }, { id: 2 }), [['ids=1&ids=2'], []])
  const picky = (payloads: readonly number[]) => {
    if (payloads.includes(3)) throw new Error('no 3')
    return payloads
  }
  t.same(await send({ body: picky }, 1, 2, 3, 4, 5), [['[1,2]', '[4,5]'], [2]], 'the record at fault is found')
})

t.test('fields of a form, and what a form cannot hold', async (t) => {
  const { url, got } = await target(t)
  const outlet = await started(t, url, { format: 'form', concurrency: 1 })
  const when = new Date(0)
  const good = { a: 'x y&z=\u00fc\u20ac', 'k[]': [1, 2n ** 70n], d: when, n: null, u: undefined, t: true, '=&': '' }
  const bad = [{ a: { b: 1 } }, 7, [1], { a: 'x\ud800' }, { '\ud800': 1 }, { a: Number.NaN }, { a: [[1]] }]
  const { refused, why } = await pushed(outlet, [good, ...bad])
  t.same(refused, [1, 2, 3, 4, 5, 6, 7])
  t.match(why, /a payload cannot be a form: payload.a holds an object/)
  const form = new URLSearchParams(got[0]?.text)
  t.same(
    [...form],
    [
      ['a', 'x y&z=\u00fc\u20ac'],
      ['k[]', '1'],
      ['k[]', String(2n ** 70n)],
      ['d', when.toISOString()],
      ['n', ''],
      ['t', 'true'],
      ['=&', ''],
    ],
  )
  t.equal(got.length, 1)
})

t.test('what JSON loses is refused, or written by serialize', async (t) => {
  const { url, got } = await target(t)
  const outlet = await started(t, url, { concurrency: 1 })
  const { refused } = await pushed(outlet, [
    { big: 2n ** 80n, date: new Date(0), half: '\ud800' },
    { m: new Map() },
    { n: Number.NaN },
    { f: () => 1 },
  ])
  t.same(refused, [1, 2, 3])
  t.equal(got[0]?.text, `{"big":${2n ** 80n},"date":"1970-01-01T00:00:00.000Z","half":"\\ud800"}`)
  const text = await started(t, url, { format: 'text' })
  t.same((await pushed(text, ['half \udc00'])).refused, [0])
  const written = await started(t, url, { serialize: (value) => (value instanceof Map ? [...value] : undefined) })
  t.same((await pushed(written, [{ m: new Map([[1, 2]]) }])).refused, [])
  t.equal(got.at(-1)?.text, '{"m":[[1,2]]}')
})

t.test('a body of its own: text and bytes as they are, null for none', async (t) => {
  const { url, got } = await target(t)
  const bodies: unknown[] = ['as it is', new Uint8Array([0, 255]), null, { made: true }, undefined, Promise.resolve(1)]
  const outlet = await started(t, url, { concurrency: 1, body: (at: number) => bodies[at] })
  t.same((await pushed(outlet, [...bodies.keys()])).refused, [4, 5])
  t.same(
    got.map(({ body }) => body.toString('latin1')),
    ['as it is', '\0\xff', '', '{"made":true}'],
  )
  t.equal(got[2]?.headers['content-type'], undefined)
})

t.test('bodies are packed with gzip', async (t) => {
  const { url, got } = await target(t)
  await pushed(await started(t, url, { gzip: true, send: 'batch' }), ['a'.repeat(1000), 'b'])
  t.equal(gunzipSync(got[0]?.body ?? '').toString(), JSON.stringify(['a'.repeat(1000), 'b']))
  t.match(got[0]?.headers, { 'content-encoding': 'gzip', 'content-type': 'application/json' })
})

t.test('methods without a body send none', async (t) => {
  const { url, got } = await target(t)
  const outlet = await started<number>(t, `${url}/things`, {
    method: 'DELETE',
    target: ({ payload }) => ({ url: String(payload), ...(payload === 2 && { method: 'GET', params: { q: 'a&b' } }) }),
  })
  await pushed(outlet, [1, 2])
  t.same(got.map(({ method, url: path, text, headers }) => [method, path, text, headers['content-type']]).toSorted(), [
    ['DELETE', '/things/1', '', undefined],
    ['GET', '/things/2?q=a%26b', '', undefined],
  ])
})

t.test('several at a time by default, and one after the other in strict order', async (t) => {
  let most = 0
  let now = 0
  // responses are held until as many requests are there as are awaited
  let awaited = 4
  const held: (() => void)[] = []
  const { url, got } = await target(t, (response, { text }) => {
    most = Math.max(most, ++now)
    const end = () => {
      now--
      response.end()
    }
    held.push(() => setTimeout(end, text === '0' ? 30 : 5))
    if (most >= awaited) for (const release of held.splice(0)) release()
  })
  const numbers = Array.from({ length: 12 }, (_, n) => n)
  await pushed(await started(t, url), numbers)
  t.equal(most, 4)
  most = 0
  awaited = 1
  got.length = 0
  await pushed(await started(t, url, { order: 'strict' }), numbers)
  t.equal(most, 1)
  t.same(
    got.map(({ text }) => Number(text)),
    numbers,
  )
  most = 0
  awaited = 9
  await pushed(await started(t, url, { concurrency: 9 }), numbers)
  t.equal(most, 9)
})

t.test('records for one URL that they have chosen follow each other', async (t) => {
  const events: string[] = []
  const { url } = await target(t, (response, { url: path, text }) => {
    events.push(`${path} ${text}`)
    setTimeout(
      () => {
        if (text === '"fails"') response.writeHead(500)
        response.end()
      },
      text === '1' ? 30 : 1,
    )
  })
  const outlet = await started<unknown>(t, url, {
    target: ({ payload }) => (payload as [string])[0],
    body: ([, what]: unknown[]) => what,
  })
  await pushed(outlet, [
    ['a', 1],
    ['a', 2],
    ['b', 3],
    ['a', 4],
  ])
  t.same(
    events.filter((one) => one.startsWith('/a')),
    ['/a 1', '/a 2', '/a 4'],
  )
  events.length = 0
  const { waits } = await pushed(outlet, [
    ['a', 5],
    ['a', '"fails"'],
    ['b', 6],
    ['a', 7],
  ])
  t.same(waits, [1, 3], 'none overtakes one that failed')
  t.notOk(events.includes('/a 7'))
})

t.test('the key of a record is the same at each try, and in a later push', async (t) => {
  const fates = [500, 503, 200, 200, 200]
  const { url, got } = await target(t, (response) => response.writeHead(fates.shift() ?? 200).end())
  const outlet = await started(t, url, { idempotencyKey: true, retry: quick, concurrency: 1 })
  await pushed(outlet, [{ a: 1 }])
  await pushed(outlet, [{ a: 1 }, { a: 2 }])
  const keys = got.map(({ headers }) => headers['idempotency-key'])
  t.match(keys[0], /^[\da-f]{64}$/)
  t.equal(new Set(keys.slice(0, 4)).size, 1)
  t.not(keys[4], keys[0])
  const named = await started<{ id: string }>(t, url, {
    idempotencyHeader: 'X-Key',
    idempotencyKey: ([record]) => record?.payload.id ?? '',
    concurrency: 1,
  })
  const { refused, why } = await pushed(named, [
    { id: 'k1' },
    { id: 'a\r\nX-Evil: 1' },
    { id: '\u20ac' },
    { id: 7 },
    {},
  ])
  t.same(refused, [1, 2, 3, 4])
  t.notMatch(why, /Evil/)
  t.equal(got.at(-1)?.headers['x-key'], 'k1')
})

t.test('wrong options are refused by name', async (t) => {
  const cases: [HttpOutletOptions, string][] = [
    [{ method: 'CONNECT' }, 'method'],
    [{ method: 'GET' }, 'method'],
    [{ method: 'DELETE' }, 'method'],
    [{ method: 'GET', target: () => 'x', body: () => 1 }, 'body'],
    [{ headers: { 'x-a': 'b\n' } }, 'headers.x-a'],
    [{ headers: { 'Content-Length': '1' } }, 'headers.Content-Length'],
    [{ headers: { 'content-encoding': 'br' }, gzip: true }, 'headers.content-encoding'],
    [{ headers: { 'idempotency-key': '1' }, idempotencyKey: true }, 'headers.idempotency-key'],
    [{ send: 'each' as never }, 'send'],
    [{ format: 'xml' as never }, 'format'],
    [{ format: 'form', send: 'batch' }, 'format'],
    [{ batchSize: 0 }, 'batchSize'],
    [{ concurrency: 0 }, 'concurrency'],
    [{ concurrency: 2, order: 'strict' }, 'concurrency'],
    [{ idempotencyKey: 'a' as never }, 'idempotencyKey'],
    [{ idempotencyHeader: 'a b' }, 'idempotencyHeader'],
    [{ idempotencyHeader: 'Content-Length' }, 'idempotencyHeader'],
    [{ idempotencyHeader: 'content-type' }, 'idempotencyHeader'],
    [{ idempotencyHeader: 'Transfer-Encoding' }, 'idempotencyHeader'],
    [{ idempotencyHeader: 'Host' }, 'idempotencyHeader'],
    [{ refusedStatuses: [200] }, 'refusedStatuses'],
    [{ statuses: [] }, 'statuses'],
    [{ results: 'all' as never }, 'results'],
    [{ proxy: 'ftp://x' }, 'proxy'],
    [{ bodySize: 1 } as never, 'bodySize'],
  ]
  for (const [options, name] of cases) {
    t.throws(() => new HttpOutlet('http://a.test', options), {
      code: 'DATABAY_INVALID_OPTION',
      option: `HttpOutlet.${name}`,
    })
  }
  t.throws(() => new HttpOutlet('ftp://user:hush@a.test'), { message: /^HttpOutlet.url: / })
  t.throws(() => new HttpOutlet('hush'), { message: /^(?!.*hush)/ })
  t.throws(() => new HttpOutlet('http://a.test', 'hush' as never), { message: /^(?!.*hush)/ })
})

t.test('credentials go in a header, and are shown nowhere', async (t) => {
  const { url, got } = await target(t, (response) => response.writeHead(400).end('hush'))
  const { lines } = captureLogs(t)
  const address = new URL(`${url}/a?key=hush1`)
  address.username = 'user'
  address.password = 'hush2'
  process.env['DATABAY_TEST_URL'] = address.href
  process.env['DATABAY_TEST_TOKEN'] = 'hush3-token'
  const hidden = new HttpOutlet(secret('DATABAY_TEST_URL'), { headers: { 'x-token': secret('DATABAY_TEST_TOKEN') } })
  t.teardown(() => hidden.onShutdown())
  await hidden.onStart()
  const { error, why } = await pushed(hidden, [{ own: 'hush4' }])
  t.match(got[0]?.headers, { authorization: `Basic ${btoa('user:hush2')}`, 'x-token': 'hush3-token' })
  const { inspect } = await import('node:util')
  t.notMatch([why, inspect(error, { depth: 9 }), String(hidden), JSON.stringify(lines)].join(), /hush/)
  t.match(why, /HttpOutlet: http:.*\/a\?\u2026: the response has the status 400|\*\*\*/)
})

t.test('a push before the start, and after the shutdown', async (t) => {
  const { url } = await target(t)
  const outlet = new HttpOutlet(url)
  t.match((await pushed(outlet, [1])).why, /the outlet is not started/)
  await outlet.onStart()
  t.same((await pushed(outlet, [1])).waits, [])
  await outlet.onShutdown()
  await outlet.onShutdown()
  t.same((await pushed(outlet, [1])).waits, [0])
  await outlet.onStart()
  t.same((await pushed(outlet, [1])).waits, [])
  await outlet.onShutdown()
  t.equal(String(outlet), `HttpOutlet(${url}/)`)
})
