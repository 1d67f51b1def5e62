import t from 'tap'
import { Cancellation } from '../../src/core/cancellation.js'
import { transferText, Update } from '../../src/core/update.js'

t.test('an update reads as its tags and its number', async (t) => {
  t.equal(String(new Update(['twitter_link'], 16)), 'twitter_link.16')
  t.equal(String(new Update(['a', 'b'], 0)), 'a.b.0')
})

t.test('an update without tags reads as its number', async (t) => {
  t.equal(String(new Update([], 3)), '3')
})

t.test('the signal aborts with the reason when the transfer is told to stop', async (t) => {
  const cancellation = new Cancellation()
  const update = new Update(['a'], 0, cancellation)
  const { signal } = update
  t.notOk(signal.aborted)
  t.equal(update.signal, signal, 'one signal for all who ask')
  const reason = new Error('enough')
  cancellation.cancel(reason)
  t.ok(signal.aborted)
  t.equal(signal.reason, reason)
})

t.test('an update that belongs to no transfer has a signal that does not abort', async (t) => {
  t.notOk(new Update(['a'], 0).signal.aborted)
})

t.test('a transfer reads with its link where the update does not say it', async (t) => {
  t.equal(transferText('6', 'todos'), '6 of todos')
  t.equal(transferText('todos.6', 'todos'), 'todos.6')
  t.equal(transferText('6', ''), '6')
})
