import t from 'tap'
import { hostInUrl, readHttpAddress } from '../../../src/operate/http/address.js'

const read = (value: string | number | boolean | undefined) => readHttpAddress('http', value)

t.test('an address is a port, a host, or both; without a host it is this machine alone', async (t) => {
  for (const [value, host, port] of [
    [true, '127.0.0.1', 9464],
    [8080, '127.0.0.1', 8080],
    [0, '127.0.0.1', 0],
    ['8080', '127.0.0.1', 8080],
    ['0', '127.0.0.1', 0],
    ['127.0.0.1', '127.0.0.1', 9464],
    ['127.0.0.1:1', '127.0.0.1', 1],
    ['0.0.0.0:9464', '0.0.0.0', 9464],
    ['localhost', 'localhost', 9464],
    ['localhost:65535', 'localhost', 65535],
    ['my-host.internal:9464', 'my-host.internal', 9464],
    [':9464', undefined, 9464],
    [':0', undefined, 0],
    ['[::1]:9464', '::1', 9464],
    ['[::]', '::', 9464],
    ['::1', '::1', 9464],
    ['[fe80::1%eth0]:1', 'fe80::1%eth0', 1],
  ] as const) {
    t.strictSame(read(value), { host, port }, String(value))
  }
})

t.test('without an address there is none', async (t) => {
  t.equal(read(undefined), undefined)
  t.equal(read(false), undefined)
})

t.test('what is no address is refused, with what was expected', async (t) => {
  const bad: unknown[] = ['', ':', 'a b', '127.0.0.1:', '127.0.0.1:65536', '127.0.0.1:-1', '300.0.0.1', '1.2.3:80']
  bad.push(
    '127.0.0.1:80:80',
    '[127.0.0.1]:80',
    '[::1',
    '[]:80',
    '-host:80',
    'a..b',
    'user:pass@host:80',
    'x'.repeat(64),
  )
  bad.push(
    65536,
    -1,
    1.5,
    NaN,
    '99999',
    null,
    {},
    [],
    () => 1,
    ' 80',
    '80 ',
    '127.0.0.1:80\n',
    'host/path',
    '\u00e9:80',
  )
  for (const value of bad) {
    const expected = {
      code: 'DATABAY_INVALID_OPTION',
      option: 'http',
      message: /^http: expected a port from 0 to 65535/,
    }
    t.throws(() => read(value as string), expected, JSON.stringify(value))
  }
})

t.test('what was probably meant is said', async (t) => {
  t.throws(() => read('http://127.0.0.1:9464/metrics'), /leave out what is before the host and after the port$/)
  for (const file of ['links.js', './links.js', 'dist/links.mjs', 'links.ts', 'C:\\links.cjs']) {
    t.throws(() => read(file), /a file that follows --http is taken for its address/, file)
  }
})

t.test('in a URL, an IPv6 address has brackets', async (t) => {
  t.equal(hostInUrl('::1'), '[::1]')
  t.equal(hostInUrl('127.0.0.1'), '127.0.0.1')
  t.equal(hostInUrl('localhost'), 'localhost')
})
