/** Bodies of JSON lines are read list by list, and pages one by one, as their transfer asks for them. */
import type { RequestListener } from 'node:http'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { HttpInlet } from '../../../src/connectors/http/http-inlet.js'
import type { HttpInletOptions } from '../../../src/connectors/http/inlet/inlet-options.js'
import { Link } from '../../../src/core/link.js'
import { Update } from '../../../src/core/update.js'
import { inlet, pullOf, update } from '../../helpers/http-inlets.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred, KeepOutlet, pulledBy } from '../../helpers/nodes.js'
import { serve } from '../../helpers/servers.js'
import { until } from '../../helpers/threads.js'

const upTo = (count: number, from = 0) => Array.from({ length: count - from }, (_, at) => from + at)
/** A line that cannot be packed into much less, so that what is packed is long, too. */
const line = (n: number) => `{"n":${n},"text":"${createHash('sha512').update(String(n)).digest('base64')}\u00e9"}\n`
const lines = (count: number, from = 0) => upTo(count, from).map(line).join('')
const numbersOf = ({ payloads }: KeepOutlet) => (payloads.flat() as { n: number }[]).map(({ n }) => n)
const soon = { minDelay: { milliseconds: 1 } }

/** A link that reads JSON lines of a server, and keeps them. */
async function linkTo(
  t: Test,
  listener: RequestListener,
  { outlet = new KeepOutlet(), link = {}, ...options }: HttpInletOptions & { outlet?: KeepOutlet; link?: object } = {},
) {
  const { url } = await serve(t, listener)
  const made = new HttpInlet(url, { format: 'ndjson', retry: soon, ...options } as HttpInletOptions)
  const running = new Link({ interval: 1, inlets: made, outlets: outlet, ...link } as never)
  await running.onStart()
  t.teardown(() => running.onShutdown())
  return { link: running, outlet, made }
}

t.test('a long body is transferred list by list, a short one as one list', async (t) => {
  let count = 5000
  const { link, outlet } = await linkTo(t, (_, response) => response.end(lines(count)))
  t.match(await link.transfer(), { pulled: 5000, rounds: 5, failed: false })
  t.ok(outlet.batches.every(({ length }) => length <= 1024))
  t.strictSame(numbersOf(outlet), upTo(5000))
  for (count of [0, 1, 700, 1023]) t.match(await link.transfer(), { pulled: count, rounds: 1, failed: false })
  count = 2048
  t.match(await link.transfer(), { pulled: 2048, rounds: 2, failed: false })
})

t.test('lists are bounded by the length of their lines, too', async (t) => {
  const long = `"${'x'.repeat(300_000)}"\n`
  const { link } = await linkTo(t, (_, response) => response.end(long.repeat(20)))
  const { pulled, rounds } = await link.transfer()
  t.equal(pulled, 20)
  t.equal(rounds, 20)
})

t.test('rounds: whole collects the lists', async (t) => {
  const { link, outlet } = await linkTo(t, (_, response) => response.end(lines(3000)), { link: { rounds: 'whole' } })
  t.match(await link.transfer(), { pulled: 3000, rounds: 1 })
  t.equal(outlet.batches.length, 1)
})

t.test('with select or next, a body of JSON lines is read whole', async (t) => {
  const { url } = await serve(t, (_, response) => response.end(lines(3000)))
  const options = { format: 'ndjson', select: (body: unknown) => (body as unknown[]).slice(0, 2) } as const
  t.same(((await inlet(t, url, options).pull(update)) as unknown[]).length, 2)
  const paged: unknown = await inlet(t, url, { format: 'ndjson', next: () => undefined }).pull(update)
  t.equal((paged as unknown[]).length, 3000)
})

t.test('what comes slowly is given as it comes', async (t) => {
  const first = deferred()
  const { link, outlet } = await linkTo(
    t,
    (_, response) => {
      response.write(line(0))
      response.write('{"n":1')
      void first.promise.then(() => response.end('}\n{"n":2}'))
    },
    { outlet: new KeepOutlet(() => first.resolve()) },
  )
  t.match(await link.transfer(), { pulled: 3, rounds: 2, failed: false })
  t.strictSame(numbersOf(outlet), [0, 1, 2])
})

/** What has to be held whole to be read. */
const HELD = ['packed twice', 'UTF-16', 'line ends of an old Mac']

t.test('encodings and charsets are read as those of a whole body', async (t) => {
  const logs = captureLogs(t)
  const text = lines(4000)
  const bytes = Buffer.from(text)
  const whole = upTo(4000).map((n) => JSON.parse(line(n)) as unknown)
  const latin = Buffer.from(text, 'latin1')
  const cases: [name: string, body: Uint8Array, headers?: { [name: string]: string }, options?: HttpInletOptions][] = [
    ['gzip', gzipSync(bytes), { 'content-encoding': 'gzip' }],
    ['gzip that nothing names', gzipSync(bytes)],
    ['members of gzip', Buffer.concat([gzipSync(bytes.subarray(0, 99_999)), gzipSync(bytes.subarray(99_999))])],
    ['deflate', deflateSync(bytes), { 'content-encoding': 'deflate' }],
    ['raw deflate', deflateRawSync(bytes), { 'content-encoding': 'deflate' }],
    ['brotli', brotliCompressSync(bytes), { 'content-encoding': 'br' }],
    ['packed twice', gzipSync(gzipSync(bytes)), { 'content-encoding': 'gzip, gzip' }],
    ['an encoding that is none', bytes, { 'content-encoding': 'utf-8' }],
    ['not packed as it says', bytes, { 'content-encoding': 'gzip' }],
    ['latin1', latin, { 'content-type': 'text/plain; charset=latin1' }],
    ['a charset that is said', latin, {}, { charset: 'latin1' }],
    ['a byte order mark', Buffer.from(`\uFEFF${text}`), { 'content-type': 'text/plain; charset=latin1' }],
    ['UTF-16', Buffer.from(text, 'utf16le'), { 'content-type': 'text/plain; charset=utf-16le' }],
    ['line ends of Windows', Buffer.from(text.replaceAll('\n', '\r\n'))],
    ['line ends of an old Mac', Buffer.from(text.replaceAll('\n', '\r'))],
    ['no line end at the end', Buffer.from(text.trimEnd())],
  ]
  for (const [name, body, headers = {}, options = {}] of cases) {
    const { url } = await serve(t, (_, response) => response.writeHead(200, headers).end(body))
    const made = inlet(t, url, { format: 'ndjson', ...options })
    t.strictSame(await pulledBy(made, update), whole, name)
    t.equal(Array.isArray(await made.pull(update)), HELD.includes(name), `${name}: whether it is held whole`)
  }
  t.same(logs.messages(), [])
})

t.test('what is left out or replaced is counted at the end', async (t) => {
  const logs = captureLogs(t)
  const random = Buffer.from(
    upTo(6000)
      .map((n) => `"${Math.sin(n)}"\n`)
      .join(''),
  )
  const deflated = Buffer.concat([deflateSync(random), Buffer.from('rest')])
  const wrong = Buffer.concat([random, Buffer.from('"'), Buffer.from([0xe9]), Buffer.from('"\n')])
  for (const [body, headers] of [
    [deflated, { 'content-encoding': 'deflate' }],
    [wrong, {}],
  ] as const) {
    const { url } = await serve(t, (_, response) => response.writeHead(200, headers).end(body))
    const all = await pulledBy(inlet(t, url, { format: 'ndjson' }), update)
    t.ok(all.length >= 6000)
  }
  t.match(logs.messages(), [/4 bytes behind its packed body were left out/, /1 characters became U\+FFFD/])
})

t.test('what is no JSON fails the round in which it comes, with the number of its line', async (t) => {
  captureLogs(t)
  const { link, outlet } = await linkTo(t, (_, response) => response.end(`${lines(3000)}{"n":\n${lines(10)}`))
  const report = await link.transfer()
  t.match(report, { failed: true, pulled: 2048, outlets: [{ pushed: 2048 }] })
  t.match(report.errors[0]?.message, /not contain valid JSON in line 3001: .*, after 2048 records: what has begun/)
  t.strictSame(numbersOf(outlet), upTo(2048))
})

t.test('a body that breaks before its first list is there is requested again, a later one is not', async (t) => {
  captureLogs(t)
  let asked = 0
  let at = 500
  const { link, outlet } = await linkTo(t, (_, response) => {
    if (++asked > 1) return void response.end(lines(4000))
    response.write(lines(at))
    setTimeout(() => response.destroy(), 50)
  })
  t.match(await link.transfer(), { pulled: 4000, failed: false })
  t.equal(asked, 2)
  t.strictSame(numbersOf(outlet), upTo(4000), 'nothing came twice')

  asked = 0
  at = 3000
  outlet.batches.length = 0
  const report = await link.transfer()
  t.match(report, { failed: true, pulled: 2048, outlets: [{ pushed: 2048 }] })
  t.match(report.errors[0], { code: 'DATABAY_HTTP', message: /after \d+ records: what has begun to stream is not/ })
  t.equal(asked, 1)
  t.strictSame(numbersOf(outlet), upTo(2048))
})

t.test('limits of size hold, and one that is known is told before the first list', async (t) => {
  captureLogs(t)
  const body = lines(5000)
  let isKnown = true
  const listener: RequestListener = (_, response) => {
    if (!isKnown) response.flushHeaders()
    response.end(body)
  }
  const { link } = await linkTo(t, listener, { maxBodySize: 300_000 })
  t.match(await link.transfer(), { failed: true, pulled: 0, errors: [{ message: /larger than maxBodySize/ }] })
  isKnown = false
  const report = await link.transfer()
  t.match(report, { failed: true, errors: [{ message: /larger than maxBodySize/ }] })
  t.ok(report.pulled > 0)
  const packed = await linkTo(t, (_, response) => response.end(gzipSync(body)), { maxBodySize: 300_000 })
  t.match(await packed.link.transfer(), { failed: true, errors: [{ message: /larger than maxBodySize/ }] })
})

/** Server of lines without an end; tells whether the connection was ended. */
function endless() {
  const state = { closed: 0, sent: 0 }
  const listener: RequestListener = (_, response) => {
    response.on('close', () => state.closed++)
    const go = async () => {
      while (!response.destroyed) {
        state.sent += 1000
        if (!response.write(lines(1000))) await Promise.race([once(response, 'drain'), once(response, 'close')])
      }
    }
    void go()
  }
  return { state, listener }
}

t.test('return() ends the connection, before the first list and after it', async (t) => {
  const { state, listener } = endless()
  const { made } = await linkTo(t, listener)
  for (const steps of [0, 1, 3]) {
    const stream = (await made.pull(new Update(['x'], steps))) as AsyncIterableIterator<unknown[]>
    const before = state.closed
    for (let step = 0; step < steps; step++) t.match(await stream.next(), { done: false })
    t.match(await stream.return?.(), { done: true })
    t.match(await stream.next(), { done: true })
    await until(() => state.closed === before + 1)
  }
})

t.test('a server is read no faster than its records are taken', async (t) => {
  const { state, listener } = endless()
  const full = deferred()
  const outlet = new KeepOutlet((): Promise<void> | undefined =>
    outlet.batches.length === 3 ? full.promise : undefined,
  )
  const { link } = await linkTo(t, listener, { outlet, maxBodySize: Infinity })
  const running = link.transfer()
  await until(() => outlet.batches.length === 3)
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.ok(state.sent < 200_000, `${state.sent} were sent`)
  link.cancel(new Error('enough'))
  full.resolve()
  t.match(await running, { failed: true })
  await until(() => state.closed === 1)
})

t.test('an outlet that fails in a round ends the connection', async (t) => {
  captureLogs(t)
  const { state, listener } = endless()
  const outlet = new KeepOutlet(() => {
    if (outlet.batches.length === 3) throw new Error('full')
  })
  const { link } = await linkTo(t, listener, { outlet })
  t.match(await link.transfer(), { failed: true, rounds: 3, outlets: [{ pushed: 2048 }] })
  await until(() => state.closed === 1)
})

t.test('the time of a pull is over in a round; time of the outlets does not count', async (t) => {
  captureLogs(t)
  const slow = new KeepOutlet(async () => new Promise((resolve) => setTimeout(resolve, 700)))
  const { link } = await linkTo(t, (_, response) => response.end(lines(3000)), {
    outlet: slow,
    timeout: { milliseconds: 2000 },
    bodyTimeout: { milliseconds: 500 },
  })
  t.match(await link.transfer(), { failed: false, pulled: 3000, rounds: 3 })
  const hanging = await linkTo(t, (_, response) => void response.write(lines(3000)), { timeout: { milliseconds: 500 } })
  const report = await hanging.link.transfer()
  t.match(report, { failed: true, pulled: 2048 })
  t.match(report.errors[0], { code: 'DATABAY_HTTP', message: /no whole response within 500 ms/ })
})

t.test('a shutdown of the inlet ends what streams', async (t) => {
  const { state, listener } = endless()
  const { made } = await linkTo(t, listener)
  const stream = (await made.pull(update)) as AsyncIterableIterator<unknown[]>
  await stream.next()
  await made.onShutdown()
  await t.rejects(stream.next(), { message: /was shut down/ })
  await until(() => state.closed === 1)
})

t.test('a shutdown of the planner ends it between rounds', async (t) => {
  const { state, listener } = endless()
  const begun = deferred()
  const outlet = new KeepOutlet(() => begun.resolve())
  const { link } = await linkTo(t, listener, { outlet, maxBodySize: Infinity })
  const running = link.transfer()
  await begun.promise
  link.endStreams()
  const { failed, pulled, outlets } = await running
  t.equal(failed, false)
  t.match(outlets, [{ pushed: pulled, dropped: 0 }])
  await until(() => state.closed === 1)
})

t.test('validators advance only when all was delivered', async (t) => {
  captureLogs(t)
  const asked: (string | undefined)[] = []
  let refuse = 3
  const outlet = new KeepOutlet(() => {
    if (--refuse === 0) throw new Error('full')
  })
  const { link } = await linkTo(
    t,
    (request, response) => {
      asked.push(request.headers['if-none-match'])
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
      else response.writeHead(200, { etag: '"1"' }).end(lines(4000))
    },
    { conditional: true, outlet },
  )
  t.match(await link.transfer(), { failed: true, rounds: 3 })
  t.match(await link.transfer(), { failed: false, pulled: 4000 })
  t.match(await link.transfer(), { failed: false, pulled: 0 })
  t.same(asked, [undefined, undefined, '"1"'])
})

t.test('pages are rounds, and the next one is requested as the transfer asks', async (t) => {
  captureLogs(t)
  let asked = 0
  const full = deferred()
  const outlet = new KeepOutlet((): Promise<void> | undefined =>
    outlet.batches.length === 2 ? full.promise : undefined,
  )
  const { link } = await linkTo(
    t,
    (_, response) => {
      const records = asked === 3 ? [] : [asked, asked]
      response.end(JSON.stringify({ records, next: ++asked < 6 ? `?page=${asked}` : null }))
    },
    { format: 'json', select: 'records', next: 'next', outlet },
  )
  const running = link.transfer()
  await until(() => outlet.batches.length === 2)
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(asked, 3, 'one page is requested ahead')
  full.resolve()
  t.match(await running, { pulled: 10, rounds: 5, failed: false })
  t.same(
    outlet.payloads,
    [0, 1, 2, 4, 5].map((page) => [page, page]),
  )
})

t.test('a page that fails leaves the pages before it delivered', async (t) => {
  captureLogs(t)
  let asked = 0
  const { link, outlet } = await linkTo(
    t,
    (_, response) => {
      if (asked === 2) response.writeHead(404).end()
      else response.end(JSON.stringify({ records: [asked], next: `?page=${++asked}` }))
    },
    { format: 'json', select: 'records', next: 'next' },
  )
  t.match(await link.transfer(), { pulled: 2, failed: true, outlets: [{ pushed: 2 }], errors: [{ stage: 'pull' }] })
  t.same(outlet.payloads, [[0], [1]])
})

t.test('two inlets, of which one ends early', async (t) => {
  const { url } = await serve(t, (request, response) => response.end(lines(request.url === '/long' ? 4000 : 1500)))
  const outlet = new KeepOutlet()
  const inlets = ['short', 'long'].map((path) => inlet(t, `${url}/${path}`, { format: 'ndjson' }))
  const link = new Link({ interval: 1, inlets, outlets: outlet } as never)
  await link.onStart()
  t.teardown(() => link.onShutdown())
  t.match(await link.transfer(), { pulled: 5500, rounds: 4, failed: false })
})

t.test('a body without lines is none', async (t) => {
  t.same(await pullOf(t, '\n'.repeat(200_000), { format: 'ndjson' }), [])
})
