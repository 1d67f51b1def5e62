import type { RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { nextLink, type HttpPage } from '../../../src/connectors/http/inlet/next-link.js'
import { failureOf, inlet, update } from '../../helpers/http-inlets.js'
import { captureLogs } from '../../helpers/logs.js'
import { pulledBy } from '../../helpers/nodes.js'
import { serve } from '../../helpers/servers.js'

/** Finds the next page in the body of a page. */
const next = ({ body }: HttpPage) => (body as { next?: string | null }).next

/** Serves a list of pages: the number after `?page=` picks one, and without it the first is meant. */
function pages(...bodies: unknown[]): RequestListener {
  return (request, response) => {
    const page = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('page'))
    const body = bodies[page]
    if (body === undefined) response.writeHead(404).end()
    else response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

t.test('the records of all pages come in order', async (t) => {
  const { server, url } = await serve(t, (request, response) => {
    const page = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('page') ?? 1)
    const links = [`</todos?page=1>; rel="first"`, ...(page < 3 ? [`<?page=${page + 1}>; rel="next"`] : [])]
    response.writeHead(200, { link: links.join(', ') }).end(JSON.stringify([page * 10, [page]]))
  })
  let requests = 0
  server.on('request', () => requests++)
  t.same(await pulledBy(inlet(t, `${url}/todos`, { next: nextLink }), update), [10, [1], 20, [2], 30, [3]])
  t.same(await pulledBy(inlet(t, `${url}/todos`, { next: nextLink }), update), [10, [1], 20, [2], 30, [3]])
  t.equal(requests, 6)
  t.same(await pulledBy(inlet(t, `${url}/todos`), update), [10, [1]], 'without next, there is one page')
})

t.test('a page knows its URL, status, headers and body', async (t) => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/a') response.writeHead(302, { location: '/b/c?x=1' }).end()
    else response.writeHead(201, { 'x-key': 'v', 'set-cookie': ['a=1', 'b=2'] }).end('{"a":1}\n{"b":2}')
  })
  const seen: HttpPage[] = []
  const options = {
    redirects: 1,
    format: 'ndjson' as const,
    next: (page: HttpPage) => void seen.push(page),
  }
  await pulledBy(inlet(t, `${url}/a`, options), update)
  t.match(seen, [{ url: `${url}/b/c?x=1`, status: 201, headers: { 'x-key': 'v', 'set-cookie': ['a=1', 'b=2'] } }])
  t.same(seen[0]?.body, [{ a: 1 }, { b: 2 }])
  const empty: HttpPage[] = []
  const nothing = await serve(t, (_, response) => response.writeHead(204).end())
  t.same(await pulledBy(inlet(t, nothing.url, { next: (page) => void empty.push(page) }), update), [])
  t.match(empty, [{ status: 204, body: undefined }])
})

t.test('a next page can be a URL, relative or whole, and ends with undefined or null', async (t) => {
  const { url } = await serve(t, pages({ next: '?page=1' }, { next: '/?page=2' }, { next: null }))
  t.equal(((await pulledBy(inlet(t, url, { next }), update)) as unknown[]).length, 3)
  const whole = (page: HttpPage) => {
    const location = next(page)
    return typeof location === 'string' ? new URL(location, page.url) : undefined
  }
  t.equal(((await pulledBy(inlet(t, url, { next: whole }), update)) as unknown[]).length, 3)
})

t.test('a page that fails fails the pull, and each page is tried again', async (t) => {
  captureLogs(t)
  const broken = await serve(t, pages({ next: '?page=1' }, { next: '?page=2' }, 'no JSON'))
  const error = await failureOf(t, pulledBy(inlet(t, broken.url, { next }), update))
  t.match(error, { failure: 'body', message: `${broken.url}/?…: Response does not contain valid JSON` })
  const ends = await serve(t, pages({ next: '?page=1' }))
  t.match(await failureOf(t, pulledBy(inlet(t, ends.url, { next }), update)), { failure: 'status', status: 404 })

  let asked = 0
  const serving = pages({ next: '?page=1' }, { next: '?page=2' }, {})
  const shaky = await serve(t, (request, response) => {
    if (++asked % 2 === 1) response.writeHead(503).end()
    else serving(request, response)
  })
  const retry = { retries: 1, minDelay: { milliseconds: 1 } }
  t.equal(((await pulledBy(inlet(t, shaky.url, { next, retry }), update)) as unknown[]).length, 3)
})

t.test('pages in a circle are an error', async (t) => {
  for (const back of ['?page=0', '?page=1', '?page=1#part', '']) {
    const { url } = await serve(t, pages({ next: '?page=1' }, { next: back }))
    const error = await failureOf(t, pulledBy(inlet(t, `${url}/?page=0`, { next }), update))
    t.match(error, { failure: 'pages', message: `its next page is ${url}/?…, which was read before` })
  }
  let asked = 0
  const { url } = await serve(t, (request, response) => {
    asked++
    if (request.url === '/to') response.end('{"next":"/from"}')
    else response.writeHead(302, { location: '/to' }).end()
  })
  t.match(await failureOf(t, pulledBy(inlet(t, url, { next, redirects: 1 }), update)), { failure: 'pages' })
  t.ok(asked <= 4, 'also when they are hidden behind a redirect')
})

t.test('more pages than are allowed are an error', async (t) => {
  let asked = 0
  const { url } = await serve(t, (_, response) => response.end(JSON.stringify({ next: `?page=${++asked}` })))
  const error = await failureOf(t, pulledBy(inlet(t, url, { next, maxPages: 3 }), update))
  t.match(error, { failure: 'pages', message: /more than 3 pages$/ })
  t.equal(asked, 3)
  await failureOf(t, pulledBy(inlet(t, url, { next }), update))
  t.equal(asked, 103, 'a hundred, unless told otherwise')
  const three = await serve(t, pages({ next: '?page=1' }, { next: '?page=2' }, {}))
  t.equal(((await pulledBy(inlet(t, three.url, { next, maxPages: 3 }), update)) as unknown[]).length, 3)
  const unlimited = { next, maxPages: Infinity, maxBodySize: Infinity }
  t.equal(((await pulledBy(inlet(t, three.url, unlimited), update)) as unknown[]).length, 3)
})

t.test('maxBodySize and timeout hold for all pages together', async (t) => {
  const filler = 'x'.repeat(400)
  let asked = 0
  const { url } = await serve(t, (_, response) => {
    const body = JSON.stringify({ next: `?page=${++asked}`, filler })
    response.setHeader('content-encoding', 'gzip').end(gzipSync(body))
  })
  const error = await failureOf(t, pulledBy(inlet(t, url, { next, maxBodySize: 1000 }), update))
  t.match(error, { failure: 'body', message: /larger than maxBodySize, which is 1000 bytes/ })
  t.equal(asked, 3)
  const slow = await serve(t, (_, response) => {
    setTimeout(() => response.end(JSON.stringify({ next: `?page=${++asked}` })), 20)
  })
  const late = await failureOf(t, pulledBy(inlet(t, slow.url, { next, timeout: { milliseconds: 150 } }), update))
  t.match(late, { failure: 'timeout', message: /no whole response within 150 ms/ })
})

t.test('a page at another origin is asked for without what the user gave, and so are those after it', async (t) => {
  const asked: string[] = []
  const home = await serve(t, (request, response) => {
    asked.push(`home ${JSON.stringify(request.headers)}`)
    response.end(JSON.stringify(request.url === '/back' ? {} : { next: other.url }))
  })
  const other = await serve(t, (request, response) => {
    asked.push(`other ${JSON.stringify(request.headers)}`)
    response.end(JSON.stringify({ next: `${home.url}/back` }))
  })
  const headers = { 'x-api-key': 'secret', authorization: 'secret' }
  await pulledBy(inlet(t, home.url, { next, headers }), update)
  t.equal(asked.length, 3)
  t.match(asked[0], /^home.*secret/)
  t.match(asked[1], /^other/)
  t.match(asked[2], /^home/)
  t.notMatch(asked.slice(1).join(), 'secret')
  const posting = inlet(t, home.url, { next, body: 'secret' })
  t.match(await failureOf(t, pulledBy(posting, update)), { failure: 'pages', message: /does not get its body/ })
})

t.test('a next() that fails, or gives no URL, is an error', async (t) => {
  const { url } = await serve(t, (_, response) => response.end('{}'))
  const cases: [() => unknown, RegExp][] = [
    [() => 7, /next\(\) gave neither a URL nor undefined, but something of type number/],
    [() => Promise.resolve('/'), /of type object/],
    [() => 'http://[', /what is no URL/],
    [() => 'ftp://some.test', /not of HTTP/],
  ]
  for (const [given, message] of cases) {
    const error = await failureOf(t, pulledBy(inlet(t, url, { next: given as () => undefined }), update))
    t.match(error, { failure: 'pages', message })
  }
  const cause = new Error('no such field')
  const failing = () => {
    throw cause
  }
  const error = await failureOf(t, pulledBy(inlet(t, url, { next: failing }), update))
  t.match(error, { failure: 'pages', message: /next\(\) failed: no such field/, cause })
})

t.test('the next page in a link header is found', async (t) => {
  const cases: [string | readonly string[] | undefined, string | undefined][] = [
    ['<https://a.test/?page=2>; rel="next"', 'https://a.test/?page=2'],
    ['</?page=2>; rel=next', '/?page=2'],
    ['</1>; rel="prev", </3>; rel="next"', '/3'],
    ['</3>; title="a, <b>; rel=\\"x\\""; rel="last next"', '/3'],
    ['</3>;REL=NEXT', '/3'],
    ['</a,b;c>; rel="next"', '/a,b;c'],
    [['</1>; rel=prev', '</3>; rel=next'], '/3'],
    ['<>; rel="next"', ''],
    ['</1>; rel="nextly"', undefined],
    ['</1>; title="rel=next"', undefined],
    ['</1>', undefined],
    ['nonsense', undefined],
    ['', undefined],
    [undefined, undefined],
    [`<${'<'.repeat(20_000)}`, undefined],
    [`<a>${' ;'.repeat(10_000)}"`, undefined],
  ]
  for (const [link, expected] of cases) t.equal(nextLink({ headers: { link } }), expected, String(link).slice(0, 60))
})

t.test('a link header may have letters of any language, and its URL is read as browsers read it', async (t) => {
  const asked: (string | undefined)[] = []
  const { url } = await serve(t, ({ url, socket }, response) => {
    asked.push(url)
    if (asked.length > 1) return response.end('[2]')
    const head =
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nLink: </caf\u00e9 \u20ac?q=\u00fc>; title="\u00e9"; rel=next\r\n\r\n[1]'
    return socket.end(head)
  })
  t.same(await pulledBy(inlet(t, url, { next: nextLink }), update), [1, 2])
  t.equal(asked[1], '/caf%C3%A9%20%E2%82%AC?q=%C3%BC')
})

t.test('a URL that the body gives is taken as it is', async (t) => {
  const asked: (string | undefined)[] = []
  const { url } = await serve(t, ({ url }, response) => {
    asked.push(url)
    response.end(asked.length > 1 ? '{}' : '{"next":"/caf\u00e9?q=\u20ac"}')
  })
  const next = ({ body }: HttpPage) => (body as { readonly next?: string }).next
  await pulledBy(inlet(t, url, { next }), update)
  t.equal(asked[1], '/caf%C3%A9?q=%E2%82%AC')
})
