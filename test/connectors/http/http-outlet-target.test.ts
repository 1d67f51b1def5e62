import { inspect } from 'node:util'
import t from 'tap'
import fc from '../../helpers/fast-check.js'
import { urlWithin } from '../../../src/connectors/http/outlet/target.js'
import { pushed, started, target } from '../../helpers/http-outlets.js'

const base = new URL('https://a.test/v1/orders?key=1')

t.test('a URL of a record is the base, or below it', async (t) => {
  const cases: [string, string][] = [
    ['', '/v1/orders?key=1'],
    ['42', '/v1/orders/42?key=1'],
    ['42/lines', '/v1/orders/42/lines?key=1'],
    ['42?full=1', '/v1/orders/42?full=1&key=1'],
    ['42?key=2', '/v1/orders/42?key=2'],
    ['?x=1', '/v1/orders?x=1&key=1'],
    ['#x', '/v1/orders?key=1'],
    ['a%2Fb', '/v1/orders/a%2Fb?key=1'],
    ['./a/../b', '/v1/orders/b?key=1'],
    ['..a/b..', '/v1/orders/..a/b..?key=1'],
    ['/v1/orders/7', '/v1/orders/7?key=1'],
    ['https://a.test/v1/orders/7', '/v1/orders/7?key=1'],
    ['\u00e9 \u20ac', '/v1/orders/%C3%A9%20%E2%82%AC?key=1'],
    ['%zz', '/v1/orders/%zz?key=1'],
  ]
  for (const [chosen, expected] of cases) t.equal(urlWithin(base, chosen).href, `https://a.test${expected}`, chosen)
  t.equal(urlWithin(new URL('http://a.test'), 'x').href, 'http://a.test/x')
  t.equal(urlWithin(new URL('http://a.test/a/'), '/a/x').href, 'http://a.test/a/x')
})

t.test('a URL of a record that leads elsewhere', async (t) => {
  const cases = [
    ...['..', '../users', '/v1', '/v1/orders2', '/', '/v1/orders/../users', '42/../../users', './..', '../orders2'],
    ...['//b.test/v1/orders', '\\\\b.test\\v1\\orders', '/\\b.test/v1/orders', 'https://b.test/v1/orders/1'],
    ...['http://a.test/v1/orders/1', 'https://a.test:444/v1/orders/1', 'https://a.test.b.test/v1/orders/1'],
    ...['javascript:alert(1)', 'file:///etc/passwd', 'data:,x', 'http://', 'https://me@a.test/v1/orders/1'],
    ...[
      '%2e%2e/users',
      '.%2E/users',
      '..%2fusers',
      '..%2Fusers',
      '..%5cusers',
      'a%2f..%2f..%2fusers',
      '%252e%252e%252fusers',
    ],
    ...['%25252e%25252e%25252fusers', '..;/users', '..;x=1/users', '..%3b/users', '..%00/users', '.\t./users'],
    ...['..\\users', '.\n.\n/users', ' ../users', '%2e%2e%2f%ffusers'],
    ...['\ud800', 'a?b=\udc00'],
  ]
  for (const chosen of cases) {
    t.throws(
      () => urlWithin(base, chosen),
      { message: /^HttpOutlet.target: expected a URL within https:\/\/a.test\/v1\/orders, got / },
      chosen,
    )
  }
})

t.test('whatever a record chooses, it stays within the base', async (t) => {
  const part = fc.constantFrom(
    '..',
    '.',
    '/',
    '\\',
    '%2f',
    '%2e',
    '%5c',
    '%25',
    ';',
    '?',
    '#',
    ':',
    '@',
    'a',
    '//',
    '\t',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      let url: URL
      try {
        url = urlWithin(base, parts.join(''))
      } catch {
        return
      }
      // as a server reads it that decodes its path, again and again
      let { pathname } = url
      for (let times = 0; times < 5; times++) {
        pathname = pathname.replaceAll(/%([\da-f]{2})/gi, (_, byte: string) =>
          String.fromCharCode(Number.parseInt(byte, 16)),
        )
      }
      const seen = new URL(`https://a.test${pathname.replaceAll('?', '').replaceAll('#', '')}`)
      t.ok(url.origin === base.origin && /^\/v1\/orders(?:\/|$)/.test(seen.pathname), url.href)
    }),
  )
})

t.test('a target chooses method, headers and parameters', async (t) => {
  const { url, got } = await target(t)
  const outlet = await started<{ id: number }>(t, `${url}/things?a=1`, {
    headers: { 'x-one': '1', 'x-two': '1' },
    target: ({ payload: { id }, metadata }, update) => ({
      url: new URL(`${url}/things/${id}`),
      method: 'put',
      headers: { 'X-Two': `${String(metadata['x'])} ${String(update)}` },
      params: { a: [2, 3], b: true },
    }),
  })
  await pushed(outlet, [{ id: 5 }])
  t.match(got, [{ method: 'PUT', url: '/things/5?a=2&a=3&b=true', text: '{"id":5}' }])
  t.match(got[0]?.headers, { 'x-one': '1', 'x-two': 'undefined to_http.0', 'content-type': 'application/json' })
})

t.test('records of a batch for one target go together', async (t) => {
  const { url, got } = await target(t)
  const outlet = await started<number>(t, url, {
    send: 'batch',
    target: ({ payload }) => (payload % 2 === 0 ? 'even' : 'odd'),
  })
  await pushed(outlet, [1, 2, 3, 4, 5])
  t.same(
    got.map(({ url: path, text }) => `${path} ${text}`),
    ['/odd [1,3,5]', '/even [2,4]'],
  )
})

t.test('a record whose target cannot be is refused, the others are sent, and nothing of it is shown', async (t) => {
  const { url, got } = await target(t)
  const targets: unknown[] = [
    '../hush',
    { headers: { 'x-a': 'hush\r\nx-evil: 1' } },
    { headers: { 'x-a': 'hush \u20ac' } },
    { headers: { 'x-a': 7 } },
    { headers: { 'x a': 'hush' } },
    { headers: { host: 'hush.test' } },
    { headers: { 'Content-Length': '0' } },
    { headers: { 'transfer-encoding': 'chunked' } },
    { headers: { connection: 'close' } },
    { headers: { 'proxy-authorization': 'hush' } },
    { headers: { 'idempotency-key': 'hush' } },
    { headers: 'hush' },
    { method: 'GET\r\nhush' },
    { method: 'CONNECT' },
    { params: { a: { hush: 1 } } },
    { url: 7 },
    { uri: 'x' },
    7,
    null,
    [],
    Promise.resolve('x'),
    () => 'x',
  ]
  const outlet = await started<number>(t, `${url}/base`, {
    idempotencyKey: true,
    target: ({ payload }) => {
      if (payload === 98) throw new Error('it cannot say')
      return payload === 99 ? 'good' : (targets[payload] as string)
    },
  })
  const { refused, why } = await pushed(outlet, [...targets.keys(), 98, 99])
  t.same(refused, [...targets.keys(), targets.length])
  t.notMatch(inspect(why), /hush/)
  t.same(
    got.map(({ url: path }) => path),
    ['/base/good'],
  )
})
