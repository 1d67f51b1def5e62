import type { IncomingMessage } from 'node:http'
import { inspect } from 'node:util'
import t from 'tap'
import type { HttpError } from '../../../src/connectors/http/errors.js'
import { HttpInlet } from '../../../src/connectors/http/http-inlet.js'
import type { HttpInletOptions } from '../../../src/connectors/http/inlet/inlet-options.js'
import { inlet, update } from '../../helpers/http-inlets.js'
import { serve } from '../../helpers/servers.js'

/** Error of the constructor with these options. */
function refusalOf(options: HttpInletOptions): unknown {
  try {
    new HttpInlet('http://some.test', options)
    return undefined
  } catch (error) {
    return error
  }
}

t.test('a header that cannot be sent is refused when the inlet is made, by its name', async (t) => {
  const cases: [string, string, RegExp][] = [
    ['Keep-Alive', 'timeout=5', /expected no header of the connection/],
    ['Expect', '100-continue', /expected no header of the connection/],
    ['Transfer-Encoding', 'chunked', /expected no header of the connection/],
    ['Upgrade', 'h2c', /expected no header of the connection/],
    ['Connection', 'secret; x', /expected names, like close or keep-alive/],
    ['Connection', '', /expected names, like close or keep-alive/],
    ['Content-Length', '7', /expected the length of the body, 5 bytes/],
    ['content-length', 'secret', /expected the length of the body, 5 bytes/],
    ['Proxy-Authorization', 'Basic secret', /expected no credentials of a proxy: see the option proxy/],
    ['X-Key', 'secret \u20ac', /expected a string fit for a header/],
    ['X-Key', 'secret\n', /expected a string fit for a header/],
  ]
  for (const [name, value, message] of cases) {
    const error = refusalOf({ headers: { [name]: value }, body: 'b\u00f6dy', method: 'POST' })
    t.match(
      error,
      { code: 'DATABAY_INVALID_OPTION', option: `HttpInlet.headers.${name}`, message },
      `${name}: ${value}`,
    )
    t.notMatch(inspect(error), /secret/)
  }
  t.match(refusalOf({ headers: { accept: 'a/b', Accept: 'c/d' } }), { option: 'HttpInlet.headers.Accept' })
  t.match(refusalOf({ headers: { '': 'x' } }), { option: 'HttpInlet.headers' })
  t.match(refusalOf({ headers: { 'x key': 'x' } }), { option: 'HttpInlet.headers' })
  t.match(refusalOf({ method: 'CONNECT' }), { option: 'HttpInlet.method' })
})

t.test('whatever header is taken can be sent', async (t) => {
  const asked: IncomingMessage['headers'][] = []
  const { url } = await serve(t, (request, response) => {
    asked.push(request.headers)
    response.end('1')
  })
  const names = 'host te trailer via date range cookie origin referer forwarded proxy-connection http2-settings dnt'
  const headers: { [name: string]: string } = { connection: 'close, TE', 'content-length': '5', 'x-empty': '' }
  for (const name of names.split(' ')) headers[name] = 'localhost'
  t.equal(await inlet(t, url, { headers, body: 'b\u00f6dy' }).pull(update), 1)
  t.match(asked[0], { connection: 'close', 'content-length': '5', host: 'localhost', te: 'localhost', 'x-empty': '' })
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'QUERY', 'PURGE']) {
    const { failure } = await inlet(t, url, { method })
      .pull(update)
      .then(
        () => ({ failure: undefined }),
        (error: unknown) => error as HttpError,
      )
    t.ok(failure === undefined || failure === 'status', `${method} comes to the server`)
  }
})
