import t from 'tap'
import { SizeLimit } from '../../../src/connectors/http/outlet/size-limit.js'

t.test('a limit falls with each refusal, and is forgotten after a while', async (t) => {
  let now = 5
  const limit = new SizeLimit(() => now)
  t.equal(limit.most, Infinity)
  limit.refused(1000)
  limit.refused(500)
  now += 300_000
  limit.refused(2000)
  t.equal(limit.most, 500)
  now += 299_999
  t.equal(limit.most, 500)
  now += 1
  t.equal(limit.most, Infinity)
  limit.refused(2000)
  t.equal(limit.most, 2000, 'what was forgotten does not count any more')
})

t.test('a limit is at least what was taken', async (t) => {
  const limit = new SizeLimit()
  limit.taken(10)
  t.equal(limit.most, Infinity)
  limit.refused(5)
  limit.taken(3)
  t.equal(limit.most, 5)
  limit.taken(8)
  t.equal(limit.most, 8)
})

t.test('a limit does not fall below what was taken since it is remembered', async (t) => {
  let now = 5
  const limit = new SizeLimit(() => now)
  limit.taken(900)
  limit.refused(500)
  t.equal(limit.most, 500, 'the server may have another limit since then')
  limit.taken(400)
  limit.refused(250)
  t.equal(limit.most, 400)
  now += 600_000
  limit.refused(100)
  t.equal(limit.most, 100)
})
