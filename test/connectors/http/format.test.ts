import { Buffer } from 'node:buffer'
import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { Link } from '../../../src/core/link.js'
import { failureOf, inlet, pullOf } from '../../helpers/http-inlets.js'
import { captureLogs } from '../../helpers/logs.js'
import { KeepOutlet } from '../../helpers/nodes.js'
import { parseText } from '../../../src/connectors/http/format.js'
import { serve } from '../../helpers/servers.js'

const ndjson = { format: 'ndjson' } as const

t.test('JSON lines are one record per line, without the blank ones', async (t) => {
  const body = '{"a":1}\r\n\n  \n[1,2]\n"é"\nnull'
  t.same(await pullOf(t, body, ndjson), [{ a: 1 }, [1, 2], 'é', null])
  t.same(await pullOf(t, '{"a":1}\r\r2\r', ndjson), [{ a: 1 }, 2])
  t.same(await pullOf(t, '\n', ndjson), [])
  t.same(await pullOf(t, '', ndjson), [])
})

t.test('JSON lines hold whatever JSON holds', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (values) => {
      const text = values.map((value) => JSON.stringify(value)).join('\n')
      t.strictSame(parseText('ndjson', text, 'number'), JSON.parse(JSON.stringify(values)))
    }),
    { numRuns: 100 },
  )
})

t.test('a line that is no JSON is an error with its number', async (t) => {
  const lines = ['{"a":1}', '', `{"a":2,"text":"${'x'.repeat(300)}`, '{"a":3}']
  const error = await failureOf(t, pullOf(t, lines.join('\n'), ndjson))
  t.match(error, { failure: 'body', status: 200 })
  t.match(error.message, /: Response does not contain valid JSON in line 3: …'x+'/)
  t.notMatch(error.message, /"a"/, 'of other lines, and of the rest of this, nothing is shown')
  t.ok(error.message.length < 300)
})

t.test('json: false is short for the format text, json: true for json', async (t) => {
  t.equal(await pullOf(t, '[1]', { format: 'text' }), '[1]')
  t.equal(await pullOf(t, '[1]', { json: false }), '[1]')
  t.same(await pullOf(t, '[1]', { json: true }), [1])
  t.same(await pullOf(t, '[1]', { format: 'json' }), [1])
})

t.test('what is no JSON is an error that shows a little of it', async (t) => {
  const page = `<html><body>${'x'.repeat(5000)}THE END</body></html>`
  const error = await failureOf(t, pullOf(t, page))
  t.match(error, { failure: 'body', status: 200 })
  t.match(error.message, /: Response does not contain valid JSON: '<html><body>xxx/)
  t.ok(error.message.length < 250)
  for (const short of ['hello', '{"password":"hunter2"', 'undefined', '{"a":1 "b":2}']) {
    const { message, cause } = await failureOf(t, pullOf(t, short))
    t.notOk(message.includes(short), message)
    t.notOk(String(cause).includes(short))
    t.match(message, 'Response does not contain valid JSON')
  }
})

t.test('JSON that is nested too deeply to be read exactly is an error that says so, not one of invalid JSON', (t) => {
  const deep = (inner: string) => `${'['.repeat(20_000)}${inner}${']'.repeat(20_000)}`
  t.doesNotThrow(() => parseText('json', deep('1')))
  const message = /^Response is nested too deeply in line 2 to read its large numbers exactly/
  t.throws(() => parseText('ndjson', `1\n${deep('1234567890123456')}`), { message })
  t.end()
})

t.test('what is shown is what is wrong', async (t) => {
  const list = (wrong: string) => `[${'1,'.repeat(500)}${wrong},${'2,'.repeat(500)}3]`
  for (const wrong of ['NaN', '"a" "b"', "{'a':1}"]) {
    t.throws(() => parseText('json', list(wrong)), { message: wrong.slice(0, 3) }, wrong)
  }
  t.throws(() => parseText('json', `[${'1,'.repeat(500)}77`), { message: /77'/ }, 'the end, when there should be more')
})

t.test('keys that JavaScript knows are keys like others', async (t) => {
  const hostile = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"a":1}'
  const { url } = await serve(t, (_, response) => response.end(`[${hostile}]`))
  for (const copyRecords of [true, false]) {
    const outlet = new KeepOutlet()
    const link = new Link({ inlets: inlet(t, url), outlets: outlet, interval: 1, copyRecords })
    await link.transfer()
    const payload = outlet.payloads[0]?.[0] as object
    t.equal(JSON.stringify(payload), hostile)
    t.equal(Object.getPrototypeOf(payload), Object.prototype)
    t.notOk('admin' in payload)
    t.notOk('admin' in {})
  }
})

t.test('bytes that are not of the charset become U+FFFD, and are counted in the log', async (t) => {
  const logs = captureLogs(t)
  const latin = Buffer.from('"äöü \uFFFD"', 'latin1')
  t.equal(await pullOf(t, latin), '\uFFFD\uFFFD\uFFFD \uFFFD')
  t.equal(await pullOf(t, Buffer.from('"a\uFFFD"')), 'a\uFFFD', 'which a body may also hold')
  t.equal(
    await pullOf(t, Buffer.from('"ä"', 'latin1'), {}, { 'content-type': 'application/json; charset=latin1' }),
    'ä',
  )
  t.match(logs.entries(), [{ msg: /has bytes that are not of its charset: 4 characters became U\+FFFD$/ }])
  t.match(logs.entries()[0], { characters: 4 })
})

t.test('an integer that a number cannot hold is an error that names its place, or what bigIntegers says', async (t) => {
  const ids = ['9007199254740993', '2882429806056571124', '18446744073709551615']
  const json = `[${ids.map((id) => `{"id":${id}}`).join()}]`
  const error = await failureOf(t, pullOf(t, json))
  t.match(error, { failure: 'body', status: 200 })
  t.match(error.message, /: Response has a number that would change: \$\[0]\.id is an integer .*bigIntegers/)
  const lines = ['{"id":1}', ...ids.map((id) => `{"id":${id}}`)].join('\n')
  const second = await failureOf(t, pullOf(t, lines, ndjson))
  t.match(second.message, /a number that would change in line 2: \$\.id is an integer/)
  t.notMatch(second.message, /9007199254740993/, 'without the number')
  t.same(
    await pullOf(t, json, { bigIntegers: 'bigint' }),
    ids.map((id) => ({ id: BigInt(id) })),
  )
  t.same(await pullOf(t, lines, { ...ndjson, bigIntegers: 'string' }), [{ id: 1 }, ...ids.map((id) => ({ id }))])
})
