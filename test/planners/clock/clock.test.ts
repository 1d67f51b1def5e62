import nodeSchedule from 'node-schedule'
import t, { type Test } from 'tap'
import { systemClock } from '../../../src/planners/clock/clock.js'

const HOUR = 3_600_000

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Number of timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
}

/** Number of jobs that node-schedule keeps. */
function jobs(): number {
  return Object.keys(nodeSchedule.scheduledJobs).length
}

/** Sets the wall clock for the rest of the test: `wall` gives the time that it shows instead of `now`. */
function setWallClock(t: Test, shows: (now: number) => number): void {
  const real = Date.now.bind(Date)
  Date.now = () => shows(real())
  t.teardown(() => {
    Date.now = real
  })
}

/** Arms the clock. Resolves with the time until it woke, in milliseconds. */
function wakeAfter(delay: number, onArmed: () => void = () => {}) {
  const started = systemClock.monotonic()
  return new Promise<number>((resolve) => {
    systemClock.arm(delay, () => {
      resolve(systemClock.monotonic() - started)
    })
    onArmed()
  })
}

t.before(() => wakeAfter(30)) // the first job of node-schedule takes long

t.test('it tells the time of the wall clock, and one that goes on', async (t) => {
  t.ok(Math.abs(systemClock.now() - Date.now()) < 1000)
  const before = systemClock.monotonic()
  await sleep(5)
  const passed = systemClock.monotonic() - before
  t.ok(passed > 3 && passed < 2000)
})

t.test('it wakes once, and not before its time', async (t) => {
  let wakes = 0
  const started = systemClock.monotonic()
  let after = 0
  systemClock.arm(30, () => {
    wakes++
    after = systemClock.monotonic() - started
  })
  await sleep(200)
  t.equal(wakes, 1)
  t.ok(after >= 29, `${after} ms`)
})

t.test('what is due now wakes soon, but not at once', async (t) => {
  for (const delay of [0, -5, 0.3]) {
    let awake = false
    systemClock.arm(delay, () => {
      awake = true
    })
    t.notOk(awake)
    await sleep(100)
    t.ok(awake, `a delay of ${delay} ms`)
  }
})

for (const [how, delay] of [
  ['soon', 10],
  ['later', 40],
] as const) {
  t.test(`when it is to wake ${how}, it can be called off, also twice, and also after it has woken`, async (t) => {
    let wakes = 0
    const release = systemClock.arm(delay, () => wakes++)
    release()
    release()
    const late = systemClock.arm(delay, () => wakes++)
    await sleep(delay + 120)
    t.equal(wakes, 1)
    t.doesNotThrow(late)
  })
}

t.test('it makes a job of node-schedule only for what is not due at once', async (t) => {
  const soon = systemClock.arm(10, () => {})
  t.equal(jobs(), 0)
  const later = systemClock.arm(40, () => {})
  t.equal(jobs(), 1)
  soon()
  later()
  t.equal(jobs(), 0)
})

t.test('it can be armed for several times at once', async (t) => {
  const woken: string[] = []
  systemClock.arm(60, () => woken.push('60'))
  systemClock.arm(30, () => woken.push('30'))
  systemClock.arm(10, () => woken.push('10'))
  systemClock.arm(45, () => woken.push('never'))()
  await sleep(200)
  t.strictSame(woken, ['10', '30', '60'])
})

t.test('nothing keeps the process alive once it is called off, or has woken', async (t) => {
  const before = timers()
  const release = systemClock.arm(HOUR, () => {})
  t.ok(timers() > before)
  release()
  t.equal(timers(), before)
  for (const delay of [5, 30]) await wakeAfter(delay)
  t.equal(timers(), before)
})

t.test('it wakes in time after the wall clock was set', async (t) => {
  for (const step of [-HOUR, HOUR]) {
    t.test(`by ${step / HOUR} h, and leaves nothing behind`, async (t) => {
      const before = timers()
      const after = await wakeAfter(60, () => setWallClock(t, (now) => now + step))
      t.ok(after >= 58 && after < 5000, `${after} ms`)
      t.equal(timers(), before)
    })
  }

  t.test('back, and then is called off', async (t) => {
    const before = timers()
    const release = systemClock.arm(60, () => t.fail('called off'))
    setWallClock(t, (now) => now - HOUR)
    await sleep(50)
    release()
    await sleep(150)
    t.equal(timers(), before)
  })

  t.test('back in the last moment', async (t) => {
    const after = await wakeAfter(30, () => setWallClock(t, (now) => now - 100))
    t.ok(after >= 29 && after < 5000, `${after} ms`)
    await sleep(120) // so that node-schedule sees its own time come
  })

  t.test('forward in the moment in which it was armed, so that its date has passed', async (t) => {
    const real = Date.now.bind(Date)
    let asked = 0
    Date.now = () => real() + (asked++ === 0 ? 0 : HOUR)
    t.teardown(() => {
      Date.now = real
    })
    const after = await wakeAfter(30)
    t.ok(after >= 29 && after < 5000, `${after} ms`)
    t.equal(jobs(), 0, 'the job that never comes is not kept')
  })
})
