import t from 'tap'
import { RunningWork, unlessAborted } from '../../src/connectors/running-work.js'
import { deferred } from '../helpers/nodes.js'

t.test('the end waits for work that runs, whether it succeeds or fails', async (t) => {
  const work = new RunningWork()
  const [good, bad] = [deferred(), deferred()]
  const steps: string[] = []
  const running = [
    work.run(good.promise.then(() => 'done')),
    work.run(bad.promise.then(() => Promise.reject(new Error('failed')))),
  ]
  const ended = work.end().then(() => steps.push('ended'))
  await new Promise(setImmediate)
  t.same(steps, [])
  good.resolve()
  bad.resolve()
  t.equal(await running[0], 'done')
  await t.rejects(running[1]!, { message: 'failed' })
  await ended
  await work.end()
})

t.test('the end waits for a command that was cancelled and goes on, for a second at most', async (t) => {
  for (const ends of [true, false]) {
    const work = new RunningWork()
    const command = deferred()
    const stop = new AbortController()
    const sent = work.run(work.command(stop.signal, command.promise))
    stop.abort(new Error('stop'))
    await t.rejects(sent, { message: 'stop' })
    if (ends) setImmediate(command.resolve)
    const began = performance.now()
    await work.end()
    const took = performance.now() - began
    t.ok(ends ? took < 900 : took > 900 && took < 10_000, `${took} ms`)
  }
})

t.test('a command gives its result, and fails as it does', async (t) => {
  const work = new RunningWork()
  const { signal } = new AbortController()
  t.equal(await work.command(signal, Promise.resolve(7)), 7)
  await t.rejects(work.command(signal, Promise.reject(new Error('refused'))), { message: 'refused' })
})

t.test('work is given up as soon as its signal aborts, and at once when it has', async (t) => {
  const stop = new AbortController()
  const waiting = unlessAborted(stop.signal, deferred().promise)
  stop.abort(new Error('stop'))
  await t.rejects(waiting, { message: 'stop' })
  await t.rejects(unlessAborted(stop.signal, deferred().promise), { message: 'stop' })
})
