import t from 'tap'
import { checkRetry, withRetries } from '../../src/base/retry.js'

const quick = checkRetry('retry', { retries: 3, minDelay: { milliseconds: 1 } })
const always = () => true

/** Makes work that fails a number of times, each time with an error of its own. */
function failing(times: number) {
  const tries: number[] = []
  const work = async (attempt: number) => {
    tries.push(attempt)
    if (tries.length <= times) throw new Error(`failed ${tries.length}`)
    return 'done'
  }
  return { tries, work }
}

t.test('options are resolved, with defaults', async (t) => {
  t.same(checkRetry('retry'), { retries: 3, minDelay: 100, maxDelay: 10_000 })
  const given = checkRetry('retry', { retries: Infinity, minDelay: 20, maxDelay: { minutes: 1 } })
  t.same(given, { retries: Infinity, minDelay: 20_000, maxDelay: 60_000 })
  t.equal(checkRetry('retry', { minDelay: 20 }).maxDelay, 20_000, 'the longest delay is at least the first')
})

t.test('options that make no sense are refused', async (t) => {
  const cases: [object, string][] = [
    [{ retries: -1 }, 'X.retry.retries: expected an integer of at least 0, or Infinity, got -1'],
    [{ retries: 1.5 }, 'X.retry.retries: expected an integer of at least 0, or Infinity, got 1.5'],
    [{ minDelay: 2, maxDelay: 1 }, 'X.retry.maxDelay: expected at least the minDelay, got 1'],
    [{ maxDelay: { days: 30 } }, 'X.retry.maxDelay: expected at most 24 days, got { days: 30 }'],
    [{ times: 3 }, "X.retry.times: expected one of the options retries, minDelay, maxDelay, got 'times'"],
  ]
  for (const [options, message] of cases) {
    t.throws(() => checkRetry('X.retry', options), { message, code: 'DATABAY_INVALID_OPTION' })
  }
})

t.test('work is tried again until it is done', async (t) => {
  const { tries, work } = failing(3)
  t.equal(await withRetries(quick, new AbortController().signal, work, always), 'done')
  t.same(tries, [1, 2, 3, 4])
})

t.test('the last error counts when no try is left', async (t) => {
  const { tries, work } = failing(9)
  await t.rejects(withRetries(quick, new AbortController().signal, work, always), { message: 'failed 4' })
  t.equal(tries.length, 4)
})

t.test('what is not worth it is not tried again', async (t) => {
  const { tries, work } = failing(9)
  const judge = (error: Error) => error.message !== 'failed 2'
  await t.rejects(withRetries(quick, new AbortController().signal, work, judge), { message: 'failed 2' })
  t.equal(tries.length, 2)
})

t.test('the judge can ask for a least delay', async (t) => {
  const { work } = failing(1)
  const started = performance.now()
  await withRetries(quick, new AbortController().signal, work, () => 80)
  t.ok(performance.now() - started >= 79, 'it was kept')
})

t.test('a signal ends the waiting, with its reason', async (t) => {
  const slow = checkRetry('retry', { minDelay: 1000 })
  for (const verdict of [true, 3_600_000]) {
    const stop = new AbortController()
    const { tries, work } = failing(9)
    const retried = withRetries(slow, stop.signal, work, () => {
      setImmediate(() => stop.abort(new Error('told to stop')))
      return verdict
    })
    await t.rejects(retried, { message: 'told to stop' })
    t.equal(tries.length, 1)
  }
})

t.test('nothing is begun when the signal has aborted', async (t) => {
  const { tries, work } = failing(0)
  const reason = new Error('told to stop')
  await t.rejects(withRetries(quick, AbortSignal.abort(reason), work, always), reason)
  t.equal(tries.length, 0)
})

t.test('work that ended well just when the signal aborted is done', async (t) => {
  const stop = new AbortController()
  const work = async () => {
    stop.abort(new Error('told to stop'))
    return 'done'
  }
  t.equal(await withRetries(quick, stop.signal, work, always), 'done')
})

t.test('whatever work fails with is judged, and thrown in the end as it is', async (t) => {
  const judged: string[] = []
  const judge = ({ message }: Error) => judged.push(message) > 0
  for (const thrown of [new TypeError('of the user'), 'a word', null]) {
    const signal = new AbortController().signal
    const tries: number[] = []
    const work = (attempt: number) => {
      tries.push(attempt)
      // a user may throw anything
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      return Promise.reject(thrown)
    }
    const caught = await withRetries(quick, signal, work, judge).then(
      () => 'done',
      (error: unknown) => error,
    )
    t.equal(caught, thrown)
    t.same(tries, [1, 2, 3, 4], String(thrown))
  }
  t.same([judged[0], judged.length], ['of the user', 9])
  t.match(judged[3], /something other than an Error was thrown: 'a word'/)
})
