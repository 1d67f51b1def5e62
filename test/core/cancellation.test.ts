import t from 'tap'
import { Cancellation } from '../../src/core/cancellation.js'
import { deferred, turnOfTheLoop } from '../helpers/nodes.js'

t.test('the first reason counts', async (t) => {
  const cancellation = new Cancellation()
  t.equal(cancellation.reason, undefined)
  const first = new Error('first')
  cancellation.cancel(first)
  cancellation.cancel(new Error('second'))
  t.equal(cancellation.reason, first)
  t.equal(cancellation.signal.reason, first)
})

t.test('a signal that is asked for afterwards has aborted', async (t) => {
  const cancellation = new Cancellation()
  const reason = new Error('enough')
  cancellation.cancel(reason)
  t.ok(cancellation.signal.aborted)
  t.equal(cancellation.signal.reason, reason)
})

t.test('many nodes may listen to a signal without a warning of a leak', async (t) => {
  const warnings: string[] = []
  const warn = ({ message }: Error) => warnings.push(message)
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  const { signal } = new Cancellation()
  for (let node = 0; node < 20; node++) signal.addEventListener('abort', () => undefined)
  await turnOfTheLoop()
  t.strictSame(warnings, [])
})

t.test('race() settles as the work does', async (t) => {
  const cancellation = new Cancellation()
  t.equal(await cancellation.race(Promise.resolve(1)), 1)
  await t.rejects(cancellation.race(Promise.reject(new Error('work failed'))), { message: 'work failed' })
})

t.test('race() takes anything that can be waited for', async (t) => {
  const thenable: PromiseLike<number> = {
    then: (onfulfilled) => Promise.resolve(2).then(onfulfilled),
  }
  t.equal(await new Cancellation().race(thenable), 2)
})

t.test('race() rejects with the reason as soon as the transfer is told to stop', async (t) => {
  const cancellation = new Cancellation()
  const never = deferred()
  const races = [cancellation.race(never.promise), cancellation.race(never.promise)]
  const reason = new Error('enough')
  cancellation.cancel(reason)
  const settled = await Promise.allSettled(races)
  t.strictSame(
    settled.map((one) => one.status === 'rejected' && one.reason === reason),
    [true, true],
  )
})

t.test('race() rejects at once when the transfer was told to stop before', async (t) => {
  const cancellation = new Cancellation()
  cancellation.cancel(new Error('enough'))
  await t.rejects(cancellation.race(deferred().promise), { message: 'enough' })
})

t.test('stopping does not touch work that has ended', async (t) => {
  const cancellation = new Cancellation()
  t.equal(await cancellation.race(Promise.resolve('done')), 'done')
  await t.rejects(cancellation.race(Promise.reject(new Error('done badly'))))
  cancellation.cancel(new Error('enough'))
  t.equal(cancellation.reason?.message, 'enough')
})

t.test('a deadline is seen when it is asked for, without a timer', async (t) => {
  const cancellation = new Cancellation()
  let asked = 0
  const late = () => new Error(`late ${++asked}`)
  cancellation.expireAt(performance.now() + 1e6, late)
  t.equal(cancellation.reason, undefined)
  cancellation.expireAt(performance.now(), late)
  t.match(cancellation.reason, { message: 'late 1' })
  t.match(cancellation.reason, { message: 'late 1' }, 'the first reason stays')
  t.ok(cancellation.signal.aborted)
})
