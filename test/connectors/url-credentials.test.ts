import { inspect } from 'node:util'
import t from 'tap'
import { shownUrl } from '../../src/base/url-credentials.js'
import {
  HttpInlet,
  HttpOutlet,
  MongoInlet,
  MongoOutlet,
  PostgresInlet,
  PostgresOutlet,
  S3Inlet,
  S3Outlet,
} from '../../src/index.js'
import { Secret } from '../../src/base/secret.js'
import { readAlerts } from '../../src/operate/alerts/alert-options.js'

type Make = (url: string | Secret) => unknown

const S3 = { bucket: 'box', region: 'eu-central-1', accessKeyId: 'id', secretAccessKey: 'key' }

const PLACES: { readonly [name: string]: readonly [protocol: string, make: Make] } = {
  'HttpInlet.url': ['http', (url) => new HttpInlet(url)],
  'HttpOutlet.url': ['https', (url) => new HttpOutlet(url)],
  'HttpInlet.proxy': ['http', (proxy) => new HttpInlet('http://localhost/', { proxy })],
  'HttpOutlet.proxy': ['http', (proxy) => new HttpOutlet('http://localhost/', { proxy })],
  'alerts.webhook': ['https', (url) => readAlerts('alerts', { webhook: url })],
  'PostgresInlet.url': ['postgres', (url) => new PostgresInlet({ url, table: 'orders' })],
  'PostgresOutlet.url': ['postgresql', (url) => new PostgresOutlet({ url, table: 'orders' })],
  'MongoInlet.url': ['mongodb', (url) => new MongoInlet({ url, collection: 'orders' })],
  'MongoOutlet.url': ['mongodb+srv', (url) => new MongoOutlet({ url, collection: 'orders' })],
  'S3Inlet.endpoint': ['http', (endpoint) => new S3Inlet({ ...S3, endpoint })],
  'S3Outlet.proxy': ['http', (proxy) => new S3Outlet({ ...S3, key: 'a', proxy })],
}

const PASSWORDS = [
  'p@sekret77/wxyz',
  'p@sekret77#wxyz',
  'p@sekret77?wxyz',
  'p@sekret77',
  'sekret77/wxyz',
  'sekret77#wxyz',
]
PASSWORDS.push('sekret77?wxyz', '12/sekret77@w', '12#sekret77@w', 'p@sekret77:80/wxyz')

for (const [option, [protocol, make]] of Object.entries(PLACES)) {
  t.test(`${option}: a password with a plain @, /, ? or # is refused, and no part of it shown`, async (t) => {
    for (const password of PASSWORDS) {
      const url = `${protocol}://app:${password}@127.0.0.1:5432/db`
      for (const given of [url, new Secret(url)]) {
        const error = t.throws(() => make(given), { code: 'DATABAY_INVALID_OPTION', option }, url)
        t.match(error, { message: /percent-encoded|options of their own/ }, url)
        t.notMatch(inspect(error), /sekret77|wxyz/, url)
      }
    }
    if (option.startsWith('S3Inlet')) return
    t.doesNotThrow(() => make(`${protocol}://app:${encodeURIComponent('p@se/k?r#et')}@example.com/`))
  })
}

t.test('an @ in a path or a query of a resource is none of a password', async (t) => {
  const urls = ['https://example.com/@app/pkg@1.2.3?mail=a@b.test#top', 'http://localhost:8080/users/joe@example.com']
  for (const url of [...urls, 'http://api:3000/users/@me', 'http://api/x?from=a@b:2']) {
    t.doesNotThrow(() => new HttpInlet(url), url)
    t.doesNotThrow(() => new HttpOutlet(url), url)
  }
  t.doesNotThrow(() => new HttpInlet(new Secret('https://example.com/@app/x')))
  for (const url of [
    'https://alerts.internal:8443/send?to=ops@example.com',
    'https://alerts/send?a=b&to=ops@example.com',
    'http://api:3000/users/@me',
  ]) {
    t.doesNotThrow(() => new HttpInlet(new Secret(url)), url)
    t.doesNotThrow(() => readAlerts('alerts', { webhook: new Secret(url) }), url)
  }
  for (const url of ['https://u:p@host/users/me@x', 'http://api:3000/users/me@x']) {
    t.throws(() => new HttpOutlet(new Secret(url)), { message: /an @ of a path or a query is written %40/ }, url)
  }
  for (const url of ['https://app:12/@w@127.0.0.1:80/', 'https://app:12?x=y@host/', 'https://tok/@example.com/']) {
    t.throws(() => new HttpOutlet(new Secret(url)), { message: /percent-encoded/ }, url)
  }
  t.throws(() => new HttpInlet(new Secret('https://tok/en@example.com/')), { message: /percent-encoded/ })
})

t.test('what is shown of a URL that was refused has nothing of a password', async (t) => {
  const shown: [url: unknown, expected: string][] = [
    ['mysql://host:3306/db?x=1', 'mysql://host:3306/db'],
    ['mongodb://a:1,b:2/db', 'mongodb://a:1,b:2/db'],
    ['mongodb://app:hush@host/', 'mongodb://\u2026@host/'],
    ['mongodb://app:hu@sh/hush@host/', 'mongodb://\u2026@host/'],
    ['postgres://app:hush', 'postgres://\u2026'],
    ['postgres://app:hu/sh', 'postgres://\u2026'],
    ['postgres://host/db?password=hu@sh', 'postgres://\u2026'],
    ['app:hush@host', '\u2026@host'],
    [5, 'number'],
  ]
  for (const [url, expected] of shown) t.equal(shownUrl(url), expected)
})

t.test('the rest of a password in a query is not shown as the name of a parameter', async (t) => {
  for (const url of [
    'postgres://localhost/db?password=hu&sekret77=1',
    'postgres://app:x@localhost/db?password=a&sekret77',
  ]) {
    const error = t.throws(() => new PostgresInlet({ url, table: 'orders' }), { message: /percent-encoded/ })
    t.notMatch(inspect(error), /sekret77/)
  }
})

t.test('the form of a constructor that takes the URL first, or in its options, is named', async (t) => {
  const wrong: [make: () => unknown, message: RegExp][] = [
    [() => new PostgresInlet('postgres://app:hush@localhost/db' as never), /new PostgresInlet\(\{ url: \.\.\. \}\)$/],
    [() => new PostgresOutlet(new URL('postgres://app:hush@localhost/db') as never), /new PostgresOutlet\(\{ url: /],
    [() => new MongoInlet(new Secret('mongodb://app:hush@localhost/db') as never), /new MongoInlet\(\{ url: /],
    [() => new MongoOutlet('mongodb://app:hush@localhost/db' as never), /new MongoOutlet\(\{ url: /],
    [() => new S3Outlet('box-hush' as never), /new S3Outlet\(\{ bucket: /],
    [() => new HttpInlet({ url: 'http://app:hush@localhost/' } as never), /new HttpInlet\(url, \{ /],
    [() => new HttpOutlet({ url: 'http://app:hush@localhost/' } as never), /new HttpOutlet\(url, \{ /],
  ]
  for (const [make, message] of wrong) {
    const error = t.throws(make, { code: 'DATABAY_INVALID_OPTION', message })
    t.notMatch(inspect(error), /hush/)
  }
})
