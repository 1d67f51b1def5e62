import t from 'tap'
import { Cancellation } from '../../src/core/cancellation.js'
import { RunningTransfers } from '../../src/core/running-transfers.js'
import { Update } from '../../src/core/update.js'
import { deferred } from '../helpers/nodes.js'

function makeTransfer(number: number) {
  const cancellation = new Cancellation()
  return { cancellation, update: new Update(['a'], number, cancellation) }
}

t.test('those that run are told to stop, and no others', async (t) => {
  const running = new RunningTransfers()
  const ends = [deferred<number>(), deferred<number>(), deferred<number>()]
  const transfers = ends.map((_, number) => makeTransfer(number))
  const results = transfers.map(({ update, cancellation }, at) =>
    running.run(update, cancellation, undefined, () => ends[at]!.promise),
  )
  ends[0]?.resolve(7)
  t.equal(await results[0], 7)
  const reason = new Error('stop')
  running.cancel(reason)
  t.same(
    transfers.map(({ cancellation }) => cancellation.reason),
    [undefined, reason, reason],
  )
  ends[1]?.resolve(8)
  ends[2]?.reject(new Error('it failed'))
  t.equal(await results[1], 8)
  await t.rejects(Promise.resolve(results[2]), { message: 'it failed' })
})

t.test('what is done at once is not there any more, also when it throws', async (t) => {
  const running = new RunningTransfers()
  const [done, thrown] = [makeTransfer(0), makeTransfer(1)]
  t.equal(
    running.run(done.update, done.cancellation, undefined, () => 'now'),
    'now',
  )
  const fail = () => {
    throw new Error('at once')
  }
  t.throws(() => running.run(thrown.update, thrown.cancellation, 1000, fail), { message: 'at once' })
  running.cancel(new Error('stop'))
  t.equal(done.cancellation.reason, undefined)
  t.equal(thrown.cancellation.reason, undefined)
})

t.test('a transfer whose time is over is told to stop', async (t) => {
  const running = new RunningTransfers()
  const { update, cancellation } = makeTransfer(3)
  const end = deferred<undefined>()
  const result = running.run(update, cancellation, 5, () => end.promise)
  while (cancellation.reason === undefined) await new Promise((resolve) => setTimeout(resolve, 1))
  t.match(cancellation.reason, { code: 'DATABAY_TRANSFER_TIMEOUT', message: 'a.3 did not end within 5 ms' })
  end.resolve(undefined)
  await result
})
