/** Records in the envelopes that services put around them. */
import t from 'tap'
import { HttpInlet } from '../../../src/connectors/http/http-inlet.js'
import type { HttpInletOptions } from '../../../src/connectors/http/inlet/inlet-options.js'
import { Update } from '../../../src/core/update.js'
import { failureOf, inlet, update } from '../../helpers/http-inlets.js'
import { pulledBy } from '../../helpers/nodes.js'
import { serve } from '../../helpers/servers.js'

/** Starts a server that answers each request with the next of these bodies, and then with the last. */
async function serving(t: Parameters<typeof serve>[0], ...bodies: unknown[]) {
  const asked: string[] = []
  const { url } = await serve(t, (request, response) => {
    const body = bodies[Math.min(asked.length, bodies.length - 1)]
    asked.push(request.url ?? '')
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  return { url, asked }
}

t.test('the records are in a field of the body', async (t) => {
  const of = async (select: NonNullable<HttpInletOptions['select']>, body: unknown): Promise<unknown> =>
    inlet(t, (await serving(t, body)).url, { select }).pull(update)
  t.same(await of('items', { items: [1, 2], total: 2 }), [1, 2])
  t.same(await of('data.items', { data: { items: [{ id: 1 }] } }), [{ id: 1 }])
  t.same(await of('results.0.rows', { results: [{ rows: ['a'] }] }), ['a'])
  t.same(await of('items', { items: [] }), [])
  t.same(await of('items', { items: null }), [], 'as some services say that there are none')
  t.same(await of('item', { item: { id: 1 } }), { id: 1 }, 'what is no list is one record')
})

t.test('a function finds them, too', async (t) => {
  const { url } = await serving(t, { rows: { a: 1, b: 2 } })
  const select = ({ rows }: { readonly rows: object }) => Object.entries(rows)
  t.same(await inlet(t, url, { select }).pull(update), [
    ['a', 1],
    ['b', 2],
  ])
  const text = await serving(t, 'one two')
  t.same(await inlet(t, text.url, { format: 'text', select: (body) => String(body).split(' ') }).pull(update), [
    'one',
    'two',
  ])
  const lines = await serving(t, '{"a":[1,2]}\n{"a":[3]}')
  const flat = (body: readonly { readonly a: readonly number[] }[]) => body.flatMap(({ a }) => a)
  t.same(await inlet(t, lines.url, { format: 'ndjson', select: flat }).pull(update), [1, 2, 3])
})

t.test('a body without them is an error, not an empty one', async (t) => {
  const cases: [HttpInletOptions['select'], unknown, RegExp][] = [
    ['itmes', { items: [1] }, /: select: the body has no itmes$/],
    ['data.items', { data: null }, /: select: the body has no data\.items$/],
    ['items', 'null', /: select: the body has no items$/],
    ['items', [{ items: [1] }], /: select: the body has no items$/],
    ['constructor', {}, /: select: the body has no constructor$/],
    [() => undefined, {}, /: select: it gave undefined: return \[\] for no records$/],
    [() => Promise.resolve([]), {}, /: select: it gave a promise, but must give the records at once$/],
    [(body) => (body as { a: { b: [] } }).a.b, {}, /: select: Cannot read properties of undefined/],
  ]
  for (const [select, body, message] of cases) {
    const { url } = await serving(t, body)
    t.match(await failureOf(t, inlet(t, url, { ...(select && { select }) }).pull(update)), { failure: 'body', message })
  }
  const { url } = await serve(t, (_, response) => response.writeHead(204).end())
  t.same(await inlet(t, url, { select: 'items' }).pull(update), [], 'no body has no records')
})

t.test('pages are read to the end: each has its records, and the URL of the next one', async (t) => {
  const pages = [{ items: [1, 2], next: '?page=2' }, { items: null, next: '?page=3' }, { items: [3] }]
  const { url, asked } = await serving(t, ...pages)
  t.same(await pulledBy(inlet(t, `${url}/a`, { select: 'items', next: 'next' }), update), [1, 2, 3])
  t.same(asked, ['/a', '/a?page=2', '/a?page=3'])
})

t.test('a field without a next page is the end: missing, null or empty', async (t) => {
  for (const last of [{ items: [2] }, { items: [2], paging: { next: null } }, { items: [2], paging: { next: '' } }]) {
    const { url, asked } = await serving(t, { items: [1], paging: { next: '/b' } }, last)
    t.same(await pulledBy(inlet(t, url, { select: 'items', next: 'paging.next' }), update), [1, 2])
    t.equal(asked.length, 2)
  }
  const { url } = await serving(t, { items: [1], next: 7 })
  const failure = await failureOf(t, pulledBy(inlet(t, url, { select: 'items', next: 'next' }), update))
  t.match(failure, { failure: 'pages', message: /something of type number$/ })
})

t.test('a response whose records were not found is requested again', async (t) => {
  const asked: (string | undefined)[] = []
  const { url } = await serve(t, (request, response) => {
    asked.push(request.headers['if-none-match'])
    response.writeHead(200, { etag: `"${asked.length}"` }).end(asked.length === 1 ? '{}' : '{"items":[1]}')
  })
  const one = inlet(t, url, { select: 'items', conditional: true })
  const [first, second] = [new Update([], 0), new Update([], 1)]
  await failureOf(t, one.pull(first))
  one.onTransferEnd(first, false)
  t.same(await one.pull(second), [1])
  t.same(asked, [undefined, undefined])
})

t.test('what options are, is checked', async (t) => {
  const wrong: [object, RegExp][] = [
    [
      { select: 5 },
      /^HttpInlet.select: expected the path of a field, like 'id' or 'data.items', or a function, got 5$/,
    ],
    [{ select: '' }, /^HttpInlet.select: expected the path of a field, /],
    [{ next: 'a..b' }, /^HttpInlet.next: expected the path of a field, .* or a function, got 'a\.\.b'$/],
    [{ select: 'items', format: 'ndjson' }, /^HttpInlet.select: expected a function with the format ndjson, whose /],
    [{ next: 'next', json: false }, /^HttpInlet.next: expected a function with the format text, whose /],
  ]
  for (const [options, message] of wrong) {
    t.throws(() => new HttpInlet('http://localhost/', options), { code: 'DATABAY_INVALID_OPTION', message })
  }
})
