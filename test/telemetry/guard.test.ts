import t from 'tap'
import { SdkGuard } from '../../src/telemetry/guard.js'
import { captureLogs } from '../helpers/logs.js'

const broken = (): number => {
  throw new Error('sdk broken')
}

t.test('what an SDK throws is logged once, and goes no further', async (t) => {
  const { messages } = captureLogs(t, 'error')
  const guard = new SdkGuard()
  t.equal(
    guard.call(() => 1),
    1,
  )
  t.equal(guard.call(broken), undefined)
  t.equal(guard.call(broken), undefined)
  t.same(messages(), ['the SDK of OpenTelemetry failed: sdk broken'])
})

t.test('work is done once, whatever is wrong with the SDK around it', async (t) => {
  captureLogs(t, 'fatal')
  const guard = new SdkGuard()
  for (const wrap of [
    (work: () => number) => work(),
    () => broken(),
    (work: () => number) => {
      work()
      return broken()
    },
  ]) {
    let times = 0
    const work = () => ++times
    t.equal(guard.around(wrap, work), 1)
    t.equal(times, 1)
  }
  const fails = () => {
    throw new Error('of the work')
  }
  t.throws(() => guard.around((work) => work(), fails), { message: 'of the work' })
})
