import t from 'tap'
import { Record } from '../src/record.js'

t.test('a record cannot be changed', async (t) => {
  const record = new Record({ a: 1 }, { key: 'x' })
  t.throws(() => Object.assign(record, { payload: 2 }), TypeError)
  t.throws(() => Object.assign(record.metadata, { key: 'y' }), TypeError)
})
