import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { inspect } from 'node:util'
import t from 'tap'
import { hideValue, scrub, scrubError, scrubJson } from '../../src/base/scrub.js'
import fc, { runsOf } from '../helpers/fast-check.js'

interface Hidden {
  readonly read: Set<string>
  readonly derived: Set<string>
  changes: number
}

/** Forgets what earlier tests have hidden. */
function forget(): void {
  const hidden = (globalThis as unknown as { [key: symbol]: Hidden })[Symbol.for('databay.hiddenValues')]
  hidden?.read.clear()
  hidden?.derived.clear()
}

const forms: { readonly [name: string]: (value: string) => string } = {
  plain: (value) => value,
  'percent-encoded': encodeURIComponent,
  'percent-encoded in small letters': (value) =>
    encodeURIComponent(value).replaceAll(/%../g, (code) => code.toLowerCase()),
  'percent-encoded twice': (value) => encodeURIComponent(encodeURIComponent(value)),
  'in a query': (value) => new URLSearchParams({ key: value }).toString(),
  JSON: (value) => JSON.stringify(value).slice(1, -1),
  'JSON in JSON': (value) => JSON.stringify(JSON.stringify(value)),
  base64: (value) => Buffer.from(value).toString('base64'),
  base64url: (value) => Buffer.from(value).toString('base64url'),
  'basic authorization': (value) => Buffer.from(`app:${value}`).toString('base64'),
  'base64 of more': (value) => Buffer.from(`{"a":"${value}","b":1}`).toString('base64'),
}

t.test('without secrets, a text is as it is', async (t) => {
  t.equal(scrub('s3cr3t-token'), 's3cr3t-token')
  t.equal(scrubJson('{"a": 1}\n'), '{"a": 1}\n')
})

t.test('a secret is hidden in whatever form it is written', async (t) => {
  forget()
  const value = 'pä$$ "w/o\\rd"+ä=%&<é>~\''
  hideValue(value)
  for (const [name, form] of Object.entries(forms)) {
    const shown = scrub(`before ${form(value)} after`)
    t.match(shown, /\*\*\*/, name)
    t.notMatch(shown, /w.{0,6}o|rd/, `${name}: ${shown}`)
  }
  const html = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
  t.equal(scrub(`<p>${html}</p>`), '<p>***</p>')
})

t.test('no secret is left in a text, whatever it is and wherever it stands', async () => {
  const values = fc.string({ unit: 'binary', minLength: 4, maxLength: 40 }).filter((value) => value.isWellFormed())
  const words = fc.string({ maxLength: 12 })
  fc.assert(
    fc.property(values, words, words, fc.constantFrom(...Object.keys(forms)), (value, before, after, name) => {
      forget()
      hideValue(value)
      const written = forms[name]?.(value) ?? ''
      const shown = scrub(`${before} ${written} ${after}`)
      if (!shown.includes('***')) return false
      return !shown.includes(written)
    }),
    { numRuns: runsOf(1000) },
  )
})

t.test('texts without a secret stay as they are', async (t) => {
  forget()
  hideValue('s3cr3t-token')
  for (const text of ['', 'transfer orders.3 failed', 's3cr3t', '-token', '100 %', '\\\\', '{"level":50}']) {
    t.equal(scrub(text), text)
  }
})

t.test('of two secrets the longer one is hidden as a whole', async (t) => {
  forget()
  hideValue('abcd')
  hideValue('abcdefgh')
  t.equal(scrub('abcdefgh abcd'), '*** ***')
})

t.test('a value that is too short to be told from words is not hidden', async (t) => {
  forget()
  t.equal(hideValue('abc'), false)
  t.equal(scrub('abc'), 'abc')
})

t.test('of a URL, its password, its path and its query are hidden too', async (t) => {
  forget()
  hideValue('mongodb://app:p%40ssword@one:27017,two:27017/shop?authSource=admin&tlsPassword=topsecret99')
  t.equal(scrub('no user app with p@ssword or p%40ssword'), 'no user app with *** or ***')
  t.equal(scrub('topsecret99 at one:27017 of shop'), '*** at one:27017 of shop')
  hideValue('https://hooks.example.com/services/T00/B00/XXXX')
  t.equal(scrub('POST https://hooks.example.com/services/T00/B00/XXXX failed'), 'POST *** failed')
  t.equal(scrub('POST services/T00/B00/XXXX failed'), 'POST *** failed')
})

t.test('default names, and settings of a database, are hidden by no URL that has them', async (t) => {
  forget()
  const plain =
    'at file:///app/connectors/postgres/mongodb/errors.js of root at http://localhost: verify-full, SCRAM-SHA-256'
  hideValue('postgres://postgres@localhost:5432/postgres?sslmode=verify-full')
  hideValue('postgres://postgres:postgres@localhost/postgres')
  hideValue('mongodb://root:mongodb@localhost/mongodb?authMechanism=SCRAM-SHA-256&appName=connectors')
  hideValue('mongodb://root@localhost/')
  t.equal(scrub(plain), plain)
  t.equal(hideValue('postgres'), false)
  t.equal(
    scrub('cannot connect to postgres://postgres:postgres@localhost/postgres'),
    'cannot connect to ***',
    'the whole is',
  )
  hideValue('https://hooktoken77@example.com/')
  hideValue('postgres://postgres:realsecret@localhost/postgres?password=othersecret')
  t.equal(scrub('hooktoken77 realsecret othersecret postgres'), '*** *** *** postgres')
})

t.test('each line of a key is hidden, and the beginning of one that was cut off', async (t) => {
  forget()
  hideValue('-----BEGIN KEY-----\nabcdefghijklm\nnopqrstuvwxyz\n-----END KEY-----')
  t.equal(scrub('line 2: nopqrstuvwxyz'), 'line 2: ***')
  hideValue('0123456789abcdef0123456789abcdef0123456789abcdef')
  t.equal(scrub("got '0123456789abcdef0123456789ab'... 20 more"), "got '***'... 20 more")
})

t.test('what JSON.parse quotes of a secret is hidden, and what it quotes of others is not', async (t) => {
  forget()
  hideValue('tok"en/+ secret-of-the-server')
  for (const text of [
    'tok"en/+ secret-of-the-server',
    '{"a":tok"en/+ secret-of-the-server}',
    '["secret-of-the-server',
    'toke',
  ]) {
    const { message } = t.throws(() => JSON.parse(text) as unknown) as Error
    if (text !== 'toke') t.notMatch(scrub(message), /en\/|secr|serv/, message)
    t.notMatch(scrubJson(JSON.stringify({ message })), /en\/|secr|serv/, message)
  }
  const { message } = t.throws(() => JSON.parse('<!DOCTYPE html>') as unknown) as Error
  t.equal(scrub(message), message)
})

t.test('a line of JSON stays JSON, though the secret is a number in it', async (t) => {
  forget()
  hideValue('170612')
  const line = JSON.stringify({ time: 1706120000, pin: 170612, msg: 'pin 170612 is wrong', at: ['170612'] })
  t.same(JSON.parse(scrubJson(`${line}\n`)), { time: 1706120000, pin: '***', msg: 'pin *** is wrong', at: ['***'] })
  t.equal(scrubJson('no JSON: 170612'), 'no JSON: ***')
})

t.test('an error is scrubbed in place, with its causes', async (t) => {
  forget()
  hideValue('s3cr3t-token')
  const cause = Object.assign(new Error('s3cr3t-token is no token'), { url: 'https://x/?t=s3cr3t-token' })
  const error = new AggregateError([new Error('one s3cr3t-token')], 'all s3cr3t-token', { cause })
  scrubError(error)
  t.equal(error.message, 'all ***')
  t.notMatch(error.stack, /s3cr3t/)
  t.equal((error.errors[0] as Error).message, 'one ***')
  t.strictSame([cause.message, cause.url], ['*** is no token', 'https://x/?t=***'])
  const told = Object.assign(new Error('a', { cause: 's3cr3t-token' }), { reason: new Error('b s3cr3t-token') })
  scrubError(told)
  t.notMatch(inspect(told), /s3cr3t/)
  t.doesNotThrow(() => scrubError(Object.freeze(new Error('s3cr3t-token'))))
})

t.test('data in the fields of an error is scrubbed, and is left as it is for others', async (t) => {
  forget()
  hideValue('s3cr3t-token')
  const config = { url: 'https://x', headers: { Authorization: 'Bearer s3cr3t-token' }, list: ['s3cr3t-token'] }
  const circle: { [name: string]: unknown } = { key: 's3cr3t-token' }
  circle['self'] = circle
  const response = new Map([['a', 1]])
  const error = Object.assign(new Error('failed'), { config, circle, response })
  scrubError(error)
  t.notMatch(inspect(error), /s3cr3t/)
  t.strictSame(error.config, { url: 'https://x', headers: { Authorization: 'Bearer ***' }, list: ['***'] })
  t.equal(error.response, response, 'objects of classes stay')
  t.equal(config.headers.Authorization, 'Bearer s3cr3t-token', 'others may still use it')
})

t.test('warnings of Node have no secrets', async (t) => {
  forget()
  hideValue('s3cr3t-token')
  const warned = once(process, 'warning')
  process.emitWarning('s3cr3t-token is old', { detail: 'as in s3cr3t-token' })
  const [warning] = (await warned) as [Error & { detail?: string }]
  t.strictSame([warning.message, warning.detail], ['*** is old', 'as in ***'])
  t.notMatch(warning.stack, /s3cr3t/)
})

t.test('a long value, and many of them, are hidden', async (t) => {
  forget()
  const key = Array.from({ length: 2000 }, (_, at) => `${at.toString(36)}/+"`).join('')
  hideValue(key)
  t.notMatch(scrub(`it is ${key}, ${encodeURIComponent(key)}`), /[/+"%]/)
  const token = (at: number) => `eyJhbGciOiJIUzI1NiJ9.${'ab/+'.repeat(100)}.${at}`
  for (let at = 0; at < 600; at++) hideValue(token(at), true)
  t.equal(scrub(`Bearer ${token(7)}`), 'Bearer ***')
  t.match(scrubJson(JSON.stringify({ msg: token(8) })), '{"msg":"***"}')
})

t.test('of very many values that are made of secrets, the latest are hidden', async (t) => {
  forget()
  hideValue('the-first-secret')
  for (let at = 0; at < 1100; at++) hideValue(`derived-token-${at}-`, true)
  t.equal(scrub('the-first-secret derived-token-1099- derived-token-3-'), '*** *** derived-token-3-')
})
