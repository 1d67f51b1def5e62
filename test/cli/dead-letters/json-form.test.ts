import t from 'tap'
import { jsonForm } from '../../../src/cli/dead-letters/json-form.js'

t.test('what JSON knows stays as it is', (t) => {
  const value = { text: 'a', number: 1.5, yes: true, none: null, list: [1, ['b']], nested: { deep: {} } }
  t.equal(JSON.stringify(jsonForm(value)), JSON.stringify(value))
  const shared = { n: 1 }
  t.equal(JSON.stringify(jsonForm([shared, shared])), '[{"n":1},{"n":1}]', 'what is there twice is no circle')
  t.end()
})

t.test('a field may have any name', (t) => {
  const value = JSON.parse('{"__proto__":{"a":1},"constructor":2}') as object
  t.equal(JSON.stringify(jsonForm(value)), '{"__proto__":{"a":1},"constructor":2}')
  t.end()
})

t.test('a circle ends with the path of what it comes back to', (t) => {
  const user: { [name: string]: unknown } = { name: 'x' }
  user['self'] = user
  t.equal(JSON.stringify(jsonForm({ users: [user] })), '{"users":[{"name":"x","self":{"$ref":"users[0]"}}]}')
  const map = new Map<string, unknown>()
  map.set('map', map)
  t.equal(JSON.stringify(jsonForm(map)), '{"$map":[["map",{"$ref":""}]]}')
  t.end()
})

t.test('dates, bytes, boxed values and holes have a form', (t) => {
  const bytes = new Uint8Array([1, 2, 3])
  const value = [
    new Date(Number.NaN),
    bytes.buffer,
    bytes.subarray(1),
    new DataView(bytes.buffer, 2),
    Object('a'),
    Object(1n),
  ]
  value.length = 7
  t.equal(
    JSON.stringify(jsonForm(value)),
    JSON.stringify([
      { $date: null },
      { $binary: { base64: 'AQID', subType: '00' } },
      { $binary: { base64: 'AgM=', subType: '00' } },
      { $array: { type: 'DataView', base64: 'Aw==' } },
      'a',
      { $numberLong: '1' },
      { $undefined: true },
    ]),
  )
  t.end()
})
