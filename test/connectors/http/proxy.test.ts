import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { HttpInlet } from '../../../src/connectors/http/http-inlet.js'
import { proxiesOf, proxyFor } from '../../../src/connectors/http/proxy.js'
import { failureOf, inlet, update } from '../../helpers/http-inlets.js'
import { captureLogs } from '../../helpers/logs.js'
import { setEnvironment, startProxy } from '../../helpers/proxies.js'
import { makeCertificate, serve, serveTls } from '../../helpers/servers.js'

const NONE = Object.fromEntries(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']
    .flatMap((name) => [name, name.toLowerCase()])
    .map((name) => [name, undefined]),
)

/** Server with TLS, and the option that trusts it; `undefined` where openssl is missing. */
async function serveEncrypted(t: Test) {
  const identity = makeCertificate(t.testdir({}))
  if (identity === undefined) return undefined
  const { url } = await serveTls(t, identity, ({ headers }, response) => response.end(JSON.stringify(headers)))
  return { url, cacert: identity.file }
}

t.test('requests go by the proxies of the environment', async (t) => {
  const plain = await serve(t, ({ headers }, response) => response.end(JSON.stringify(headers)))
  const encrypted = await serveEncrypted(t)
  for (const lower of [false, true]) {
    const [one, other] = [await startProxy(t), await startProxy(t)]
    const name = (upper: string) => (lower ? upper.toLowerCase() : upper)
    setEnvironment(t, {
      ...NONE,
      [name('HTTP_PROXY')]: one.url,
      [name('HTTPS_PROXY')]: other.url.slice('http://'.length),
    })
    const headers: unknown = await inlet(t, `${plain.url}/a?b=%20c`, { headers: { 'x-key': 'k' } }).pull(update)
    t.match(headers, { host: new URL(plain.url).host, 'x-key': 'k' })
    t.same(one.asked, [{ what: `GET ${plain.url}/a?b=%20c`, authorization: undefined }])
    if (encrypted === undefined) continue
    t.match(await inlet(t, encrypted.url, { cacert: encrypted.cacert }).pull(update), {
      'proxy-authorization': undefined,
    })
    t.same(other.asked, [{ what: `CONNECT ${new URL(encrypted.url).host}`, authorization: undefined }])
    t.match(await failureOf(t, inlet(t, encrypted.url).pull(update)), { message: /self-signed certificate/ })
  }
})

t.test('hosts of NO_PROXY, and inlets with proxy: false, go without', async (t) => {
  const { url } = await serve(t, (_, response) => response.end('1'))
  const proxy = await startProxy(t)
  setEnvironment(t, { ...NONE, HTTP_PROXY: proxy.url, NO_PROXY: 'some.test, 127.0.0.1' })
  t.equal(await inlet(t, url).pull(update), 1)
  t.equal(proxy.asked.length, 0)
  setEnvironment(t, { NO_PROXY: 'some.test' })
  t.equal(await inlet(t, url, { proxy: false }).pull(update), 1)
  t.equal(proxy.asked.length, 0)
  t.equal(await inlet(t, url).pull(update), 1)
  t.equal(proxy.asked.length, 1)
})

t.test('the option proxy goes before the environment, with credentials that only the proxy gets', async (t) => {
  const logs = captureLogs(t, 'trace')
  const plain = await serve(t, ({ headers }, response) => response.end(JSON.stringify(headers)))
  const encrypted = await serveEncrypted(t)
  const proxy = await startProxy(t)
  setEnvironment(t, { ...NONE, HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '*' })
  const cases: [string, string][] = [
    ['us%40er:secret%', 'us@er:secret%'],
    ['user', 'user:'],
  ]
  for (const [credentials, sent] of cases) {
    const option = { proxy: new URL(proxy.url.replace('//', `//${credentials}@`)) }
    const authorization = `Basic ${Buffer.from(sent).toString('base64')}`
    const headers: unknown = await inlet(t, plain.url, option).pull(update)
    t.equal((headers as { 'proxy-authorization'?: string })['proxy-authorization'], undefined)
    t.equal(proxy.asked.at(-1)?.authorization, authorization)
    if (encrypted === undefined) continue
    t.match(await inlet(t, encrypted.url, { ...option, cacert: encrypted.cacert }).pull(update), {})
    t.match(proxy.asked.at(-1), { what: /^CONNECT /, authorization })
  }
  t.notMatch(logs.lines.join(''), /secret|us%40er|us@er/)
})

t.test('a redirect goes by the proxy of its own protocol, and takes nothing of the proxy along', async (t) => {
  const encrypted = await serveEncrypted(t)
  if (encrypted === undefined) return
  const { url } = await serve(t, (_, response) => response.writeHead(302, { location: encrypted.url }).end())
  const [one, other] = [await startProxy(t), await startProxy(t)]
  setEnvironment(t, { ...NONE, HTTP_PROXY: one.url.replace('//', '//user:secret@'), HTTPS_PROXY: other.url })
  await inlet(t, url, { redirects: 1, cacert: encrypted.cacert }).pull(update)
  t.equal(one.asked.length, 1)
  t.same(other.asked, [{ what: `CONNECT ${new URL(encrypted.url).host}`, authorization: undefined }])
})

t.test('a proxy that refuses, hangs or is not there is an error without its credentials', async (t) => {
  captureLogs(t)
  const encrypted = await serveEncrypted(t)
  const url = encrypted?.url ?? 'https://some.test'
  const answers: (number | undefined)[] = [407, 503, 0]
  for (const answer of answers) {
    const proxy = await startProxy(t, { refuse: () => answer })
    const option = {
      proxy: proxy.url.replace('//', '//user:secret@'),
      connectTimeout: { milliseconds: answer === 0 ? 100 : 5000 },
      retry: { retries: 1, minDelay: { milliseconds: 1 } },
    }
    const error = await failureOf(t, inlet(t, url, option).pull(update))
    t.equal(error.failure, answer === 0 ? 'timeout' : 'connection')
    if (answer !== 0) t.match(error.message, `(${answer})`)
    t.equal(proxy.asked.length, answer === 407 ? 1 : 2, `${answer} is ${answer === 407 ? 'not ' : ''}tried again`)
    if (answer === 0) continue
    const plain = await failureOf(t, inlet(t, 'http://some.test', { proxy: option.proxy }).pull(update))
    t.match(plain, { failure: 'status', status: answer })
  }
  const gone = 'http://user:secret@127.0.0.1:9'
  for (const target of [url, 'http://some.test']) {
    t.match(await failureOf(t, inlet(t, target, { proxy: gone }).pull(update)), { failure: 'connection' })
  }
})

t.test('what is no proxy is refused, and never shown', async (t) => {
  for (const proxy of ['', 'socks5://user:secret@host', 'http://user:secret@', 7, true, null]) {
    try {
      new HttpInlet('http://some.test', { proxy } as object)
      t.fail(`${proxy} is not checked`)
    } catch (error) {
      t.match(error, { code: 'DATABAY_INVALID_OPTION', option: 'HttpInlet.proxy' })
      t.notMatch(inspect(error), /secret/)
    }
  }
  setEnvironment(t, { ...NONE, HTTPS_PROXY: 'socks5://user:secret@host' })
  const one = inlet(t, 'https://some.test')
  const error: unknown = await one.onStart().catch((thrown: unknown) => thrown)
  t.match(error, { code: 'DATABAY_INVALID_OPTION', option: 'HTTPS_PROXY' })
  t.notMatch(inspect(error), /secret/)
})

t.test('NO_PROXY has names, what ends in them, addresses, ranges, and ports', async (t) => {
  const cases: [string, string, boolean][] = [
    ['', 'http://a.test', true],
    ['*', 'http://a.test', false],
    ['a.test', 'http://a.test', false],
    ['A.Test', 'http://a.test./', false],
    ['a.test', 'http://b.a.test', false],
    ['a.test', 'http://ba.test', true],
    ['.a.test', 'http://b.a.test', false],
    ['*.a.test', 'http://b.a.test', false],
    ['x, a.test\ty', 'http://a.test', false],
    ['a.test:80', 'http://a.test', false],
    ['a.test:8080', 'http://a.test', true],
    ['a.test:443', 'https://a.test', false],
    ['10.0.0.0/8', 'http://10.1.2.3', false],
    ['10.0.0.0/8', 'http://11.1.2.3', true],
    ['10.0.0.0/8', 'http://a.test', true],
    ['10.0.0.0/99,/,x/8', 'http://10.1.2.3', true],
    ['0.0.1', 'http://127.0.0.1', true],
    ['::1', 'http://[::1]:8080', false],
    ['[::1]:8080', 'http://[::1]:8080', false],
    ['[::1]:80', 'http://[::1]:8080', true],
    ['fd00::/8', 'http://[fd12::1]', false],
    ['2001:0db8:0::1', 'http://[2001:db8::1]', false],
    ['10.0.0.0/', 'http://10.1.2.3', true],
    ['192.168.*', 'http://192.168.1.2', false],
    ['192.168.*', 'http://1.192.168.2', true],
    ['*a.test', 'http://ba.test', false],
    ['a*.test', 'http://axtest', true],
    ['*:80', 'http://a.test', false],
    ['b\u00fccher.test', 'http://b\u00fccher.test', false],
  ]
  for (const [list, url, goes] of cases) {
    const proxies = proxiesOf(undefined, { HTTP_PROXY: 'proxy.test:3128', HTTPS_PROXY: 'http://p', NO_PROXY: list })
    t.equal(proxyFor(new URL(url), proxies) !== undefined, goes, `${list}: ${url}`)
  }
  t.equal(
    proxyFor(new URL('http://a.test'), proxiesOf(undefined, { http_proxy: '', HTTP_PROXY: 'http://p' })),
    undefined,
  )
  t.equal(proxyFor(new URL('https://a.test'), proxiesOf(undefined, { HTTP_PROXY: 'http://p' })), undefined)
  const quoted = proxiesOf(undefined, { HTTP_PROXY: '"http://p"' })
  t.equal(proxyFor(new URL('http://a.test'), quoted)?.href, 'http://p/', 'quotes that a shell left')
})
