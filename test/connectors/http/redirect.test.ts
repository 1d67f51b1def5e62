import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { failureOf, inlet, update } from '../../helpers/http-inlets.js'
import { makeCertificate, serve, serveTls } from '../../helpers/servers.js'

interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Starts a server that notes its requests, and redirects from `/from`. */
async function serveRedirect(t: Test, to: string, status = 302) {
  const asked: Asked[] = []
  const { url } = await serve(t, (request, response) => {
    void text(request).then((body) => {
      asked.push({ method: request.method, url: request.url, headers: request.headers, body })
      if (request.url?.startsWith('/from')) response.writeHead(status, { location: to }).end('moved')
      else response.end('"here"')
    })
  })
  return { asked, url }
}

const secrets = { authorization: 'Bearer secret', cookie: 'id=secret', 'x-api-key': 'secret', accept: 'a/b' }

t.test('a redirect is followed when it is allowed to', async (t) => {
  for (const status of [301, 302, 303, 307, 308]) {
    const { asked, url } = await serveRedirect(t, '/to?a=1#part', status)
    t.match(await failureOf(t, inlet(t, `${url}/from`).pull(update)), { failure: 'status', status })
    const one = inlet(t, `${url.replace('//', '//user:secret@')}/from`, { redirects: 1, headers: { 'x-key': 'k' } })
    t.equal(await one.pull(update), 'here')
    t.match(asked.at(-1), { method: 'GET', url: '/to?a=1', headers: { 'x-key': 'k', authorization: /^Basic / } })
  }
})

t.test('methods and bodies are kept or dropped as browsers do it', async (t) => {
  const cases: [number, string, string][] = [
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'POST', 'GET'],
    [307, 'POST', 'POST'],
    [308, 'POST', 'POST'],
    [301, 'PUT', 'PUT'],
    [303, 'PUT', 'GET'],
    [303, 'HEAD', 'HEAD'],
  ]
  for (const [status, method, expected] of cases) {
    const { asked, url } = await serveRedirect(t, '/to', status)
    const headers = { 'content-type': 'a/b', 'x-key': 'k' }
    const body = method === 'HEAD' ? {} : { body: 'query' }
    await inlet(t, `${url}/from`, { redirects: 1, method, headers, ...body }).pull(update)
    const kept = expected === method
    t.equal(asked[1]?.method, expected, `${status} ${method}`)
    t.equal(asked[1]?.body, kept && method !== 'HEAD' ? 'query' : '')
    t.equal(asked[1]?.headers['content-type'], kept ? 'a/b' : undefined)
    t.equal(asked[1]?.headers['x-key'], 'k')
  }
})

t.test('nothing of the user goes to another origin, nor back from there', async (t) => {
  const home = await serveRedirect(t, '')
  const away = await serveRedirect(t, `${home.url}/back`)
  const { asked, url } = await serveRedirect(t, `${away.url}/from`)
  const start = `${url.replace('//', '//user:secret@')}/from`
  for (const headers of [{}, secrets]) {
    t.equal(await inlet(t, start, { redirects: 5, headers, params: { token: 'secret' } }).pull(update), 'here')
  }
  t.match(asked[1]?.headers, secrets)
  const others = [...away.asked, ...home.asked]
  t.equal(others.length, 4)
  for (const other of others) {
    t.notMatch(JSON.stringify(other), /secret|Basic/)
    t.equal(other.headers['user-agent'], 'databay')
  }
  t.equal(away.asked[1]?.headers.accept, 'a/b', 'what is harmless is kept')
})

t.test('what a server puts before the host of a redirect is not sent', async (t) => {
  const { asked, url } = await serveRedirect(t, '/to')
  const other = await serveRedirect(t, `${url.replace('//', '//user:pass@')}/to`)
  await inlet(t, `${other.url}/from`, { redirects: 1 }).pull(update)
  t.equal(asked[0]?.headers.authorization, undefined)
})

t.test('a body does not go to another origin', async (t) => {
  const other = await serveRedirect(t, '')
  for (const status of [307, 308]) {
    const { url } = await serveRedirect(t, `${other.url}/to?token=secret`, status)
    const error = await failureOf(t, inlet(t, `${url}/from`, { redirects: 5, body: 'secret' }).pull(update))
    t.match(error, { failure: 'redirect', message: `${other.url}/to?…, another origin, which does not get its body` })
  }
  t.same(other.asked, [])
})

t.test('too many redirects, and redirects in a circle, are errors', async (t) => {
  const { asked, url } = await serveRedirect(t, '/from-here')
  const error = await failureOf(t, inlet(t, `${url}/from`, { redirects: 7, retry: { retries: 3 } }).pull(update))
  t.match(error, { failure: 'redirect', status: 302, message: /more than 7 redirects$/ })
  t.equal(asked.length, 8)
})

t.test('a redirect to what is no page of the web is an error', async (t) => {
  const cases: [string, RegExp][] = [
    ['ftp://some.test/', /a URL of ftp:/],
    ['file:///etc/passwd', /a URL of file:/],
    ['http://[', /what is no URL/],
  ]
  for (const [location, message] of cases) {
    const { url } = await serveRedirect(t, location)
    t.match(await failureOf(t, inlet(t, `${url}/from`, { redirects: 5 }).pull(update)), {
      failure: 'redirect',
      message,
    })
  }
  const { url } = await serve(t, (_, response) => response.writeHead(302).end())
  t.match(await failureOf(t, inlet(t, url, { redirects: 5 }).pull(update)), { failure: 'status', status: 302 })
})

t.test('a redirect from https to http is an error', async (t) => {
  const identity = makeCertificate(t.testdir({}))
  if (identity === undefined) {
    t.pass('needs openssl', { skip: true })
    return
  }
  const plain = await serveRedirect(t, '')
  const { url } = await serveTls(t, identity, (_, response) => response.writeHead(302, { location: plain.url }).end())
  const error = await failureOf(t, inlet(t, url, { redirects: 5, cacert: identity.file }).pull(update))
  t.match(error, { failure: 'redirect', message: `${plain.url}/, which is not encrypted` })
  t.same(plain.asked, [])
})

t.test('a redirected request is tried again from its start', async (t) => {
  let asked = 0
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/') response.writeHead(302, { location: '/to' }).end()
    else response.writeHead(++asked < 2 ? 503 : 200).end('1')
  })
  const { minDelay } = { minDelay: { milliseconds: 1 } }
  t.equal(await inlet(t, url, { redirects: 1, retry: { retries: 1, minDelay } }).pull(update), 1)
})

t.test('a location is read as browsers read it', async (t) => {
  const cases: [string | Buffer, string][] = [
    ['/caf\u00e9', '/caf%C3%A9'],
    [Buffer.from('/caf\u00e9', 'latin1'), '/caf%E9'],
    ['/\u30c6?q=\u20ac#\u00e9', '/%E3%83%86?q=%E2%82%AC'],
    ['/caf%C3%A9?q=%zz', '/caf%C3%A9?q=%zz'],
    ['  /a b ', '/a%20b'],
    ['?page=2', '/from?page=2'],
    ['#part', '/from'],
    ['', '/from'],
    ['//127.0.0.1:PORT/other', '/other'],
    ['http:/other', '/other'],
    ['\\other', '/other'],
    ['/a/../b/./c', '/b/c'],
    ['/a|b"<>`{}', '/a|b%22%3C%3E%60%7B%7D'],
    // the standard has this character encoded since 2025, and Node since 24
    ['/a^b', new URL('http://host/a^b').pathname],
  ]
  for (const [location, expected] of cases) {
    const asked: (string | undefined)[] = []
    const { server, url } = await serve(t, ({ url, socket }, response) => {
      asked.push(url)
      if (asked.length > 1) return response.end('"here"')
      const { port } = server.address() as AddressInfo
      const bytes = typeof location === 'string' ? Buffer.from(location.replace('PORT', String(port))) : location
      const head = 'HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: '
      return socket.end(Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n\r\n')]))
    })
    t.equal(await inlet(t, `${url}/from`, { redirects: 1 }).pull(update), 'here')
    t.equal(asked[1], expected, String(location))
  }
})

t.test('of a location that came twice the first counts', async (t) => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/to') response.end('"here"')
    else response.setHeader('location', ['/to', '/to']).writeHead(302).end()
  })
  t.equal(await inlet(t, `${url}/from`, { redirects: 1 }).pull(update), 'here')
})

t.test('a location to a name in letters of its own goes to that name', async (t) => {
  const { url } = await serve(t, ({ socket }) => {
    socket.end(Buffer.from('HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://m\u00fcnchen.invalid/\r\n\r\n'))
  })
  const error = await failureOf(t, inlet(t, url, { redirects: 1 }).pull(update))
  t.match(error.message, /xn--mnchen-3ya\.invalid/)
})
