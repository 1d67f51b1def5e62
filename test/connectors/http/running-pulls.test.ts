import { getEventListeners } from 'node:events'
import t from 'tap'
import { RunningPulls } from '../../../src/connectors/http/inlet/running-pulls.js'

const never = () => new Error('late')

/** Work that runs until its signal aborts. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    const stop = () => {
      reject(signal.reason as Error)
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop)
  })

/** Runs a pull whose work is in one part. */
async function run<R>(
  pulls: RunningPulls,
  signal: AbortSignal,
  timeout: number,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const pull = pulls.begin(signal, timeout, late)
  try {
    return await pull.within(() => work(pull.signal))
  } finally {
    pull.end()
  }
}

t.test('a pull gives what its work gives, and leaves nothing behind', async (t) => {
  const pulls = new RunningPulls()
  const { signal } = new AbortController()
  t.equal(await run(pulls, signal, 60_000, never, async () => 'records'), 'records')
  await t.rejects(
    run(pulls, signal, 60_000, never, () => Promise.reject(new Error('refused'))),
    { message: 'refused' },
  )
  t.same(getEventListeners(signal, 'abort'), [])
  pulls.stop(() => {
    throw new Error('no pull is under way')
  })
})

t.test('a pull is stopped when its time is up', async (t) => {
  const running = run(new RunningPulls(), new AbortController().signal, 5, never, untilAborted)
  await t.rejects(running, { message: 'late' })
})

t.test('a pull is stopped with its transfer, before and while it works', async (t) => {
  const pulls = new RunningPulls()
  const transfer = new AbortController()
  const running = run(pulls, transfer.signal, 60_000, never, untilAborted)
  transfer.abort(new Error('cancelled'))
  await t.rejects(running, { message: 'cancelled' })
  await t.rejects(run(pulls, transfer.signal, 60_000, never, untilAborted), { message: 'cancelled' })
})

t.test('all pulls that are under way are stopped at once', async (t) => {
  const pulls = new RunningPulls()
  const { signal } = new AbortController()
  const running = [1, 2].map(() => run(pulls, signal, 60_000, never, untilAborted))
  pulls.stop(() => new Error('shut down'))
  for (const pull of running) await t.rejects(pull, { message: 'shut down' })
  t.equal(await run(pulls, signal, 60_000, never, async () => 'again'), 'again')
})

t.test('only the parts of its work take from the time of a pull', async (t) => {
  const pull = new RunningPulls().begin(new AbortController().signal, 60_000, never)
  await pull.within(async () => undefined)
  const { left } = pull
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(pull.left, left)
  await pull.within(() => new Promise((resolve) => setTimeout(resolve, 20)))
  t.ok(pull.left <= left - 15, `${left - pull.left} ms`)
  pull.end()
})
