import type { IncomingMessage, RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { compareValues } from '../../../src/connectors/http/inlet/since-order.js'
import { HttpInlet } from '../../../src/connectors/http/http-inlet.js'
import type { HttpInletOptions } from '../../../src/connectors/http/inlet/inlet-options.js'
import type { HttpSince, SincePage } from '../../../src/connectors/http/inlet/since.js'
import { Buffer } from '../../../src/core/buffer.js'
import { Cancellation } from '../../../src/core/cancellation.js'
import { Link } from '../../../src/core/link.js'
import { Outlet } from '../../../src/core/outlet.js'
import type { Record } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { failureOf, inlet } from '../../helpers/http-inlets.js'
import { captureLogs } from '../../helpers/logs.js'
import { pulledBy } from '../../helpers/nodes.js'
import { serve } from '../../helpers/servers.js'

interface Order {
  readonly id: number
}

let updates = 0
const next = () => new Update(['orders'], updates++)

const queryOf = (request: IncomingMessage) => new URL(request.url ?? '', 'http://localhost').searchParams

/** An API of orders with ids from 1 on: those above `since_id`, at most so many at once, and pages of them. */
async function api(t: Test, orders = 5, most = 2) {
  const asked: string[] = []
  const state = { orders, fails: (_page: number): boolean => false }
  const { url } = await serve(t, (request, response) => {
    const query = queryOf(request)
    asked.push(query.toString())
    const page = Number(query.get('page') ?? 1)
    if (state.fails(page)) return void response.writeHead(500).end()
    const behind = Number(query.get('since_id') ?? 0)
    const all = Array.from({ length: state.orders - behind }, (_, at) => ({ id: behind + at + 1 }))
    const items = all.slice((page - 1) * most, page * most)
    const hasMore = all.length > page * most
    const to = new URLSearchParams({ ...Object.fromEntries(query), page: String(page + 1) })
    response.end(JSON.stringify({ items, has_more: hasMore, next: hasMore ? `?${to.toString()}` : null }))
  })
  return { url, asked, state }
}

const BY_ID = { select: 'items', since: { param: 'since_id', record: 'id' } } as const

const ids = async (from: HttpInlet, update = next()) => ((await pulledBy(from, update)) as Order[]).map(({ id }) => id)

t.test('each pull asks for what came since the last record', async (t) => {
  const { url, asked, state } = await api(t, 2)
  const orders = inlet(t, url, BY_ID)
  t.equal(orders.hasCursor, true)
  t.same(await ids(orders), [1, 2])
  t.same(await ids(orders), [], 'an empty response leaves the value')
  state.orders = 3
  t.same(await ids(orders), [3])
  t.same(asked, ['', 'since_id=2', 'since_id=2'])
})

t.test('the first request has the first value, and params beside it', async (t) => {
  const { url, asked } = await api(t, 5, 9)
  const orders = inlet(t, url, { ...BY_ID, params: { a: 1 }, since: { ...BY_ID.since, first: 3 } })
  t.same(await ids(orders), [4, 5])
  t.same(await ids(orders), [])
  t.same(asked, ['a=1&since_id=3', 'a=1&since_id=5'])
})

t.test('the next value is in a field of the body, in a header, or what a function says', async (t) => {
  const asked: unknown[] = []
  const { url } = await serve(t, (request, response) => {
    asked.push(queryOf(request).get('token'))
    const token = asked.length === 2 ? '' : `t${asked.length}`
    response.setHeader('x-next', token).end(JSON.stringify({ meta: { token }, items: [] }))
  })
  const ways = [
    { body: 'meta.token' },
    { header: 'X-Next' },
    { value: ({ body }: SincePage) => (body as { meta: { token: string } }).meta.token },
    { value: ({ headers, records }: SincePage) => (records.length > 0 ? 'wrong' : headers['x-next']) },
  ]
  for (const way of ways) {
    asked.length = 0
    const tokens = inlet(t, url, { select: 'items', since: { param: 'token', ...way } })
    for (let pull = 0; pull < 3; pull++) t.same(await pulledBy(tokens, next()), [])
    t.same(asked, [null, 't1', 't1'], 'also of a response without records; an empty one leaves it')
  }
})

t.test('a function puts the value where it belongs', async (t) => {
  const asked: unknown[] = []
  const { url } = await serve(t, (request, response) => {
    let body = ''
    request.on('data', (data) => (body += String(data)))
    request.on('end', () => {
      const { authorization, after } = request.headers
      asked.push([request.method, request.url, authorization, after, body])
      response.end(`[{"id": ${asked.length}}]`)
    })
  })
  const options = { method: 'POST', params: { a: 1, b: 2 }, headers: { authorization: 'key' } }
  const given = inlet(t, `${url}/orders`, {
    ...options,
    since: {
      record: 'id',
      request: (id: number | undefined) =>
        id === undefined ? undefined : { params: { b: 3 }, headers: { After: '7' }, body: `{"id":${id}}` },
    },
  })
  await ids(given)
  await ids(given)
  const path = inlet(t, `${url}/orders`, { since: { record: 'id', request: (id = 0) => ({ url: `/since/${id}` }) } })
  await ids(path)
  await ids(path)
  t.same(asked, [
    ['POST', '/orders?a=1&b=2', 'key', undefined, ''],
    ['POST', '/orders?a=1&b=3', 'key', '7', '{"id":1}'],
    ['GET', '/since/0', undefined, undefined, ''],
    ['GET', '/since/3', undefined, undefined, ''],
  ])
})

t.test('a pull asks on as long as there is more, up to so many pages', async (t) => {
  const { url, asked, state } = await api(t, 5)
  const orders = inlet(t, url, { ...BY_ID, since: { ...BY_ID.since, more: 'has_more' }, maxPages: 3 })
  t.same(await ids(orders), [1, 2, 3, 4, 5])
  t.same(asked, ['', 'since_id=2', 'since_id=4'])
  state.orders = 13
  t.same(await ids(orders), [6, 7, 8, 9, 10, 11], 'the rest comes with the next pull')
  t.same(await ids(orders), [12, 13])
  const stuck = inlet(t, url, {
    select: 'items',
    since: { param: 'since_id', value: () => 1, more: () => true },
  })
  t.same(await ids(stuck), [1, 2, 2, 3], 'the same value would ask for the same page')
})

t.test('what was not delivered is asked for again', async (t) => {
  const { url, asked } = await api(t, 5, 9)
  const orders = inlet(t, url, BY_ID)
  const update = next()
  t.same(await ids(orders, update), [1, 2, 3, 4, 5])
  orders.onTransferEnd(update, false, { rounds: 1, deliveredRounds: 0 })
  t.same((await ids(orders)).length, 5)
  t.same(asked, ['', ''])
})

t.test('pages that were delivered before another was not are not asked for again', async (t) => {
  captureLogs(t)
  const { url, asked } = await api(t, 6)
  const orders = inlet(t, url, { ...BY_ID, next: 'next' })
  const update = next()
  t.same(await ids(orders, update), [1, 2, 3, 4, 5, 6])
  orders.onTransferEnd(update, false, { rounds: 3, deliveredRounds: 2 })
  t.same(await ids(orders), [5, 6])
  t.equal(asked.at(-1), 'since_id=4')
})

t.test('a page that fails fails the pull, which goes on behind the page before', async (t) => {
  captureLogs(t)
  const { url, state } = await api(t, 6)
  const orders = inlet(t, url, { ...BY_ID, next: 'next' })
  state.fails = (page) => page === 2
  const got: number[] = []
  const outlet = new Got(got)
  const link = new Link({ inlets: orders, outlets: outlet, interval: 9, ignoreExceptions: true })
  await link.onStart()
  t.match(await link.transfer(), { errors: [{ code: 'DATABAY_HTTP' }] })
  t.same(got, [1, 2])
  state.fails = () => false
  await link.transfer()
  t.same(got, [1, 2, 3, 4, 5, 6])
})

class Got extends Outlet<Order> {
  readonly #got: number[]
  #fails: (id: number) => boolean

  constructor(got: number[], fails: (id: number) => boolean = () => false) {
    super()
    this.#got = got
    this.#fails = fails
  }

  push(records: Record<Order>[]) {
    for (const { payload } of records) if (this.#fails(payload.id)) throw new Error('no')
    for (const { payload } of records) this.#got.push(payload.id)
  }
}

t.test('the value moves along with its link, with what buffers hold', async (t) => {
  const { url } = await api(t, 5, 9)
  const orders = inlet(t, url, BY_ID)
  const update = next()
  await ids(orders, update)
  const moved = inlet(t, url, BY_ID)
  moved.restoreState(structuredClone(orders.saveState()))
  t.same(await ids(moved), [])
  moved.onTransferEnd(update, false)
  t.same(await ids(moved), [1, 2, 3, 4, 5], 'what a buffer held was not delivered after all')
  t.equal(inlet(t, url, BY_ID).saveState(), undefined)
  const other = inlet(t, url, BY_ID)
  other.restoreState({ etag: 'of another option' })
  t.same((await ids(other)).length, 5)
})

t.test('transfers at the same time go on one behind the other', async (t) => {
  const { url } = await api(t, 5)
  const orders = inlet(t, url, { ...BY_ID, since: { ...BY_ID.since, more: 'has_more' } })
  const all = await Promise.all([ids(orders), ids(orders), ids(orders)])
  t.same(all.flat(), [1, 2, 3, 4, 5])
  const paged = inlet(t, url, { ...BY_ID, next: 'next' })
  const stream = (await paged.pull(next())) as AsyncIterator<Order[]>
  const cancellation = new Cancellation()
  const waiting = paged.pull(new Update(['orders'], updates++, cancellation))
  cancellation.cancel(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' }, 'one that waits can be cancelled')
  const after = ids(paged)
  await stream.return?.()
  t.same(await after, [3, 4, 5], 'a stream that is ended makes room for the next')
})

t.test('JSON lines come list by list, and the value moves with each', async (t) => {
  const line = (id: number) => `${JSON.stringify({ id, filler: 'x'.repeat(200) })}\n`
  const asked: unknown[] = []
  const { url } = await serve(t, (request, response) => {
    asked.push(queryOf(request).get('after'))
    const after = Number(asked.at(-1) ?? 0)
    response.end(Array.from({ length: Math.max(0, 5000 - after) }, (_, at) => line(after + at + 1)).join(''))
  })
  const lines = inlet(t, url, { format: 'ndjson', since: { param: 'after', record: 'id' } })
  const update = next()
  const lists: number[] = []
  for await (const list of (await lines.pull(update)) as AsyncIterable<Order[]>) lists.push(list.length)
  t.ok(lists.length > 2)
  lines.onTransferEnd(update, false, { rounds: lists.length, deliveredRounds: 1 })
  const [first = 0] = lists
  t.equal((await ids(lines)).length, 5000 - first)
  t.equal(asked.at(-1), String(first))
  t.same(
    await ids(inlet(t, url, { format: 'ndjson', since: { param: 'after', record: 'id', first: 4998 } })),
    [4999, 5000],
  )
})

const answering = (...pages: unknown[]): RequestListener => {
  let at = 0
  return (_, response) => {
    const body = pages[Math.min(at++, pages.length - 1)]
    response.end(JSON.stringify(body))
  }
}

t.test('with any order, the greatest value of all pages counts, and counts at the end', async (t) => {
  const asked: string[] = []
  const pages = [
    { items: [{ id: 9 }, { id: 8 }], next: '?page=2' },
    { items: [{ id: 10 }, { id: 7 }], next: null },
  ]
  const { url } = await serve(t, (request, response) => {
    asked.push(queryOf(request).toString())
    response.end(JSON.stringify(pages[asked.length - 1] ?? { items: [], next: null }))
  })
  const orders = inlet(t, url, { select: 'items', next: 'next', since: { param: 'id', record: 'id', order: 'any' } })
  const update = next()
  t.same(await ids(orders, update), [9, 8, 10, 7])
  t.same(orders.saveState(), {
    since: 10,
    carried: { start: undefined, updates: [String(update), String(update)], records: 4 },
  })
  await ids(orders)
  t.equal(asked.at(-1), 'id=10')
  const words = await serve(t, answering([{ id: 'a' }, { id: 'b' }]))
  const failure = await failureOf(
    t,
    pulledBy(inlet(t, words.url, { since: { param: 'id', record: 'id', order: 'any' } }), next()),
  )
  t.match(failure, {
    failure: 'since',
    message: /since: the values of id have no order: they are no numbers or times$/,
  })
})

t.test('records out of order are said, and lose nothing of the pull', async (t) => {
  const logs = captureLogs(t)
  const { url } = await serve(t, answering([{ id: 3 }, { id: 2 }, { id: 1 }], []))
  const orders = inlet(t, url, { since: { param: 'id', record: 'id' } })
  t.same(await ids(orders), [3, 2, 1])
  t.match(orders.saveState(), { since: 3 })
  t.match(logs.messages(), [/records do not come in the order of id, so what breaks may lose some: see order: 'any'/])
})

t.test('a value never goes back, and one without an order is taken as it is', async (t) => {
  const { url } = await serve(t, answering([{ at: '2026-02-01T00:00:00Z' }], [{ at: '2026-01-31T00:00:00Z' }]))
  const times = inlet(t, url, { since: { param: 'at', record: 'at' } })
  await pulledBy(times, next())
  await pulledBy(times, next())
  t.match(times.saveState(), { since: '2026-02-01T00:00:00Z' })
  const names = await serve(t, answering([{ at: 'b' }], [{ at: 'a' }]))
  const tokens = inlet(t, names.url, { since: { param: 'at', record: 'at' } })
  await pulledBy(tokens, next())
  await pulledBy(tokens, next())
  t.match(tokens.saveState(), { since: 'a' })
})

t.test('values that cannot be had or sent fail the pull', async (t) => {
  const cases: [unknown, HttpSince, RegExp][] = [
    [[{ id: 1 }, {}], { param: 'id', record: 'id' }, /since: a record has no id$/],
    [{ a: 1 }, { param: 'id', value: () => Promise.resolve(1) }, /value\(\) gave a promise/],
    [{ a: 1 }, { param: 'id', value: () => ({}), more: () => true }, /a value of type object is no parameter/],
    [{ a: 1 }, { request: () => ({ url: 'http://other.test/' }), header: 'x' }, /another origin, http:\/\/other.test$/],
    [{ a: 1 }, { request: () => ({ body: 'secret' }), header: 'x' }, /the method is GET: see the option method$/],
    [{ a: 1 }, { request: () => ({ headers: { a: 'secret\n' } }), header: 'x' }, /HttpInlet.headers.a: expected/],
    [{ a: 1 }, { request: () => 'secret' as never, header: 'x' }, /request: expected an object/],
    [{ a: 1 }, { request: () => ({ params: { a: null as never } }), header: 'x' }, /HttpInlet.params.a: expected/],
  ]
  for (const [body, since, message] of cases) {
    const { url } = await serve(t, answering(body))
    t.match(await failureOf(t, pulledBy(inlet(t, url, { since }), next())), { failure: 'since', message })
  }
})

t.test('what makes no sense is refused when the inlet is made', async (t) => {
  const make = (since: unknown, more: HttpInletOptions = {}, url = 'http://localhost/') => {
    return () => new HttpInlet(url, { ...more, since } as never)
  }
  const good = { param: 'id', record: 'id' }
  t.throws(make('id'), { message: /^HttpInlet.since: expected an object/ })
  t.throws(make({ record: 'id' }), { message: /^HttpInlet.since: expected one of param, request, as in/ })
  t.throws(make({ ...good, request: () => ({}) }), { message: /one of param, request.* got 'param, request'/ })
  t.throws(make({ param: 'id' }), { message: /one of record, body, header, value/ })
  t.throws(make({ ...good, body: 'a' }), { message: /one of record, body, header, value.*'record, body'/ })
  t.throws(make({ ...good, feild: 'a' }), { message: /HttpInlet.since.feild/ })
  t.throws(make({ ...good, record: 'a..b' }), { message: /HttpInlet.since.record/ })
  t.throws(make({ ...good, first: {} }), { message: /HttpInlet.since.first: expected a string, number or boolean/ })
  t.throws(make({ param: 'id', body: 'a', order: 'any' }), { message: /HttpInlet.since.order: expected none without/ })
  t.throws(make({ ...good, order: 'any', more: 'a' }), { message: /HttpInlet.since.more: expected none with order/ })
  t.throws(make({ ...good, more: 'a' }, { next: 'b' }), { message: /HttpInlet.since.more: expected none with next/ })
  t.throws(make(good, { conditional: true }), { message: /HttpInlet.since: expected none with conditional/ })
  t.throws(make(good, { params: { id: 1 } }), { message: /HttpInlet.since.param: expected none of the URL/ })
  t.throws(make(good, {}, 'http://localhost/?id=1'), { message: /HttpInlet.since.param: expected none of the URL/ })
  t.throws(make(good, { format: 'text' }), { message: /HttpInlet.since.record: expected none with the format text/ })
  t.throws(make({ param: 'a', body: 'b' }, { format: 'ndjson' }), {
    message: /HttpInlet.since.body: expected value with/,
  })
})

t.test('numbers, whole numbers as text, and times have an order', async (t) => {
  const ordered: [unknown, unknown][] = [
    [1, 2],
    ['9', '10'],
    ['9007199254740993', '9007199254740994'],
    ['2026-01-01', '2026-01-02'],
    ['2026-01-01T00:00:00+02:00', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.0001Z', '2026-01-01T00:00:00.0002Z'],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.5Z'],
    ['2026-01-01 10:00', '2026-01-01 10:00:01'],
    ['2026-01-01T00:00:00+0200', '2026-01-01T00:00:00+01'],
  ]
  for (const [less, more] of ordered) {
    t.ok(Number(compareValues(less, more)) < 0, `${String(less)} is before ${String(more)}`)
    t.ok(Number(compareValues(more, less)) > 0)
    t.equal(compareValues(less, less), 0)
  }
  t.equal(compareValues('2026-01-01T00:00:00.10Z', '2026-01-01T00:00:00.1Z'), 0)
  for (const other of ['ord_9', '2026-13-01', {}, 1, '1.5']) t.equal(compareValues('ord_10', other), undefined)
})

t.test('with a buffer, what it holds is asked for again when it is refused', async (t) => {
  captureLogs(t)
  const { url, state } = await api(t, 2)
  const got: number[] = []
  let isDown = true
  const outlet = new Got(got, () => isDown)
  const processors = new Buffer({ countThreshold: 3 })
  const inlets = inlet(t, url, BY_ID)
  const link = new Link({ inlets, outlets: outlet, processors, interval: 9, ignoreExceptions: true })
  await link.onStart()
  await link.transfer()
  state.orders = 4
  await link.transfer()
  t.same(got, [])
  isDown = false
  await link.transfer()
  await link.transfer()
  t.same(got.slice(0, 3), [1, 2, 3])
})
