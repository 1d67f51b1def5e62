import t from 'tap'
import { isRecord, Record } from '../../src/core/record.js'

t.test('a record cannot be changed', async (t) => {
  const record = new Record({ a: 1 }, { key: 'x' })
  t.throws(() => Object.assign(record, { payload: 2 }), TypeError)
  t.throws(() => Object.assign(record.metadata, { key: 'y' }), TypeError)
})

t.test('the payload is kept as it is, neither copied nor frozen', async (t) => {
  const payload = { a: 1 }
  const record = new Record(payload)
  t.equal(record.payload, payload)
  t.notOk(Object.isFrozen(record.payload))
})

t.test('metadata that is not frozen is copied, so that its owner cannot change the record', async (t) => {
  const metadata = { key: 'x' }
  const record = new Record(1, metadata)
  metadata.key = 'y'
  t.same(record.metadata, { key: 'x' })
  t.notOk(Object.isFrozen(metadata), 'the object that was given is left alone')
})

t.test('frozen metadata is shared, not copied', async (t) => {
  const metadata = Object.freeze({ key: 'x' })
  t.equal(new Record(1, metadata).metadata, metadata)
  t.equal(new Record(2, metadata).metadata, new Record(3, metadata).metadata)
})

t.test('a record without metadata has empty metadata', async (t) => {
  t.same(new Record(1).metadata, {})
  t.equal(new Record(1).metadata, new Record(2).metadata, 'one object for all')
})

t.test('metadata that is no object is refused', async (t) => {
  for (const metadata of [null, 'x', 3, ['x']] as unknown as { readonly [key: string]: unknown }[]) {
    t.throws(() => new Record(1, metadata), {
      code: 'DATABAY_INVALID_OPTION',
      message: /^metadata: expected an object, got /,
    })
  }
})

t.test('with() gives another record', async (t) => {
  const record = new Record(1, { a: 1, b: 1 })

  t.test('with another payload and the same metadata object', async (t) => {
    const changed = record.with({ payload: 'one' })
    t.equal(changed.payload, 'one')
    t.equal(changed.metadata, record.metadata)
    t.equal(record.payload, 1)
  })

  t.test('with metadata merged over its own, frozen', async (t) => {
    const changed = record.with({ metadata: { b: 2, c: 2 } })
    t.equal(changed.payload, 1)
    t.same(changed.metadata, { a: 1, b: 2, c: 2 })
    t.ok(Object.isFrozen(changed.metadata))
    t.same(record.metadata, { a: 1, b: 1 })
  })

  t.test('with both', async (t) => {
    t.match(record.with({ payload: 2, metadata: { b: 3 } }), { payload: 2, metadata: { a: 1, b: 3 } })
  })

  t.test('with undefined as its payload, where that is asked for', async (t) => {
    t.equal(record.with({ payload: undefined }).payload, undefined)
  })
})

t.test('a record survives a structured clone as plain payload and metadata', async (t) => {
  t.strictSame(structuredClone(new Record({ a: new Date(5) }, { key: 'x' })), {
    payload: { a: new Date(5) },
    metadata: { key: 'x' },
  })
})

t.test('isRecord tells records from what looks like one', async (t) => {
  t.ok(isRecord(new Record(1)))
  for (const other of [{ payload: 1, metadata: {} }, null, undefined, 1, 'record', [], () => 1]) {
    t.notOk(isRecord(other), typeof other)
  }
})

t.test('a record is marked for other copies of the package', async (t) => {
  t.equal(Reflect.get(new Record(1), Symbol.for('databay.Record')), true)
})

t.test('isRecord knows the records of another copy of the package', async (t) => {
  class OtherCopy {
    payload = 1
    metadata = {}
    get [Symbol.for('databay.Record')]() {
      return true
    }
  }
  t.ok(isRecord(new OtherCopy()))
})
