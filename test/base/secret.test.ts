import { inspect, format } from 'node:util'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { serialize } from 'node:v8'
import t from 'tap'
import { getLogger } from '../../src/base/log.js'
import { plainError } from '../../src/base/plain-error.js'
import { isSecret, revealed, Secret, secretText, secretUrl } from '../../src/base/secret.js'
import { captureLogs } from '../helpers/logs.js'

const VALUE = 's3cr3t-"token"'

t.test('a secret shows as ***, however it is shown', async (t) => {
  const secret = new Secret(VALUE)
  const shown = [
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }, { depth: 9, showHidden: true, getters: true }),
    inspect(secret, { customInspect: false, showHidden: true, depth: 9 }),
    format('%s %o %O %j', secret, secret, secret, secret),
    ['as', secret, ''].join(' '),
    `a template: ${secret as unknown as string}`,
    inspect(Object.assign({}, secret)),
    inspect(Object.entries(secret)),
    inspect(Object.getOwnPropertyDescriptors(secret)),
    serialize({ secret }).toString('latin1'),
  ]
  for (const text of shown) t.notMatch(text, /s3cr3t/)
  for (const text of shown.slice(0, 3)) t.match(text, /\*\*\*/)
  t.equal(secret.reveal(), VALUE)
})

t.test('a copy of a secret has no value', async (t) => {
  const { port1, port2 } = new MessageChannel()
  port1.postMessage({ secret: new Secret(VALUE) })
  t.same(receiveMessageOnPort(port2), { message: { secret: {} } })
  port1.close()
  t.same(structuredClone(new Secret(VALUE)), {})
  const copied = Object.assign(Object.create(Secret.prototype) as Secret, new Secret(VALUE))
  t.throws(() => copied.reveal(), { message: 'a secret was copied: only the secret itself has its value' })
})

t.test('logs and errors do not show it, nor what it reveals', async (t) => {
  const { lines } = captureLogs(t)
  const secret = new Secret(VALUE)
  const error = Object.assign(new Error(`refused ${secret.reveal()}`, { cause: new Error(VALUE) }), { url: VALUE })
  getLogger('databay.test').error({ err: error, secret, value: secret.reveal() }, 'with %s and %s', secret, VALUE)
  getLogger('databay.test').error(error)
  t.equal(lines.length, 2)
  for (const line of lines) {
    t.notMatch(line, /s3cr3t/)
    t.match((JSON.parse(line) as { msg: string }).msg, /\*\*\*/)
  }
  const plain = plainError(error)
  t.notMatch(JSON.stringify(plain), /s3cr3t/)
  t.equal(plain.message, 'refused ***')
  t.same(plain.fields, { url: '***' })
})

t.test('a long message is scrubbed before it is cut', async (t) => {
  const secret = new Secret('abcdefgh-ijklmnop-qrstuvw')
  const { message } = plainError(new Error(`${'x'.repeat(9990)}${secret.reveal()}`))
  t.equal(message.slice(9980), 'xxxxxxxxxx***')
})

t.test('texts and URLs are made of it, which are secrets too', async (t) => {
  const token = new Secret('p@ss word/1')
  const header = secretText`Bearer ${token}`
  const url = secretUrl`mongodb://app:${token}@db.example.com:${27017}/${'shop'}`
  t.equal(header.reveal(), 'Bearer p@ss word/1')
  t.equal(url.reveal(), 'mongodb://app:p%40ss%20word%2F1@db.example.com:27017/shop')
  t.strictSame([String(header), inspect(url)], ['***', '***'])
  t.equal(plainError(new Error(url.reveal())).message, 'mongodb://app:***@db.example.com:27017/shop')
  t.throws(() => secretText`${{} as string}`, { code: 'DATABAY_INVALID_OPTION', message: /got 'object'$/ })
})

t.test('a secret is made of a part of another one', async (t) => {
  const document = new Secret('{"user":"app","password":"part-of-it"}')
  const password = document.map((text) => (JSON.parse(text) as { password: string }).password)
  t.equal(password.reveal(), 'part-of-it')
  t.equal(plainError(new Error('it is part-of-it')).message, 'it is ***')
  const broken = new Secret('no-json-at-all')
  const text = inspect(t.throws(() => broken.map((value) => JSON.parse(value) as string)))
  t.match(text, /the function threw SyntaxError/)
  t.notMatch(text, /no-json/)
  t.throws(() => broken.map(() => ''), { code: 'DATABAY_INVALID_OPTION' })
})

t.test('only a string can be one, and no error shows what was given', async (t) => {
  for (const value of ['', 5, undefined, null, {}] as string[]) {
    t.throws(() => new Secret(value), {
      message: /^Secret: expected a string that is not empty, got '(string|number|undefined|object)'$/,
    })
  }
})

t.test('a secret of another copy of this package is one', async (t) => {
  class OtherSecret {
    reveal() {
      return 'other-value'
    }
    get [Symbol.for('databay.Secret')]() {
      return true
    }
  }
  t.ok(isSecret(new OtherSecret()))
  t.equal(revealed(new OtherSecret() as unknown as Secret), 'other-value')
  t.strictSame([isSecret('x'), isSecret({}), isSecret(null), revealed('x'), revealed(5)], [false, false, false, 'x', 5])
})

t.test('a URL is made of parts that are encoded: a host with a port, or a URL, in its place is refused', async (t) => {
  const [host, password] = ['127.0.0.1:46285', new Secret('hush@hush')]
  const wrong: (() => unknown)[] = [
    () => secretUrl`postgres://${host}/shop`,
    () => secretUrl`postgres://app:${password}@${host}/shop`,
    () => secretUrl`${'https://example.com'}/${password}`,
    () => secretUrl`https://${'app'}:${password}@${'[::1]'}/`,
  ]
  for (const make of wrong) {
    const error = t.throws(make, { code: 'DATABAY_INVALID_OPTION', message: /^secret\.url: .*secret\.text/ })
    t.notMatch(String(error), /hush|46285|example/)
  }
  t.equal(
    secretUrl`https://${'a:b'}:${password}@${'example.com'}:${80}/${'a:b'}`.reveal(),
    'https://a%3Ab:hush%40hush@example.com:80/a%3Ab',
  )
  t.equal(secretUrl`mongodb://${'/tmp/db.sock'}/${'shop'}`.reveal(), 'mongodb://%2Ftmp%2Fdb.sock/shop')
})
