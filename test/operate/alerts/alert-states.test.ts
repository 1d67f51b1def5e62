import t from 'tap'
import { AlertStates, type AlertLimits } from '../../../src/operate/alerts/alert-states.js'
import fc, { runsOf } from '../../helpers/fast-check.js'

const LIMITS: AlertLimits = { failures: 3, successes: 1, blockedFor: 60_000, groupWait: 5_000, pause: 300_000 }

function statesWith(limits: Partial<AlertLimits> = {}) {
  const states = new AlertStates<string>({ ...LIMITS, ...limits })
  const told = (now: number, isLast?: boolean) =>
    states.take(now, isLast).map(({ kind, link, isTrouble }) => `${link} ${kind} ${isTrouble ? 'begins' : 'ends'}`)
  return { states, told }
}

t.test('a link that fails is told once, and its recovery once', async (t) => {
  const { states, told } = statesWith()
  for (const now of [0, 1000]) states.bad('failing', 'orders', 'refused', now)
  t.equal(states.nextAt, undefined, 'two failures are none yet')
  states.bad('failing', 'orders', 'refused', 2000)
  t.equal(states.nextAt, 7000, 'others may follow')
  t.strictSame(told(6999), [])
  t.strictSame(told(7000), ['orders failing begins'])
  for (const now of [8000, 9000, 900_000]) states.bad('failing', 'orders', 'refused', now)
  t.equal(states.nextAt, undefined)
  states.good('failing', 'orders', 901_000)
  t.strictSame(told(906_000), ['orders failing ends'])
  states.good('failing', 'orders', 907_000)
  t.strictSame([states.nextAt, told(9_000_000)], [undefined, []], 'there is no third message')
})

t.test('a trouble is as long as it lasted, however late its end is told', async (t) => {
  const { states, told } = statesWith({ failures: 1 })
  states.bad('failing', 'orders', 'refused', 1000)
  told(6000)
  states.good('failing', 'orders', 15_000)
  t.match(states.take(20_000), [{ isTrouble: false, since: 1000, until: 15_000 }])
})

t.test('failures that are not in a row are none', async (t) => {
  const { states } = statesWith()
  for (let now = 0; now < 100; now++) {
    states.bad('failing', 'orders', '', now)
    if (now % 2 === 1) states.good('failing', 'orders', now)
  }
  t.equal(states.nextAt, undefined)
})

t.test('links that fail at once are told together', async (t) => {
  const { states, told } = statesWith()
  for (let link = 0; link < 50; link++) {
    for (let time = 0; time < 3; time++) states.bad('failing', `link ${link}`, '', link * 10)
  }
  t.equal(told(5000).length, 50)
  t.equal(states.nextAt, undefined)
})

t.test('a link that flaps is told once in a pause', async (t) => {
  const { states, told } = statesWith()
  const messages: string[] = []
  for (let now = 0; now < 3_000_000; now += 1000) {
    if (now % 20_000 < 10_000) states.bad('failing', 'orders', '', now)
    else states.good('failing', 'orders', now)
    messages.push(...told(now))
  }
  t.ok(messages.length <= 20, `${messages.length} messages in ten pauses`)
  t.ok(messages.length > 10, 'it is told')
})

t.test('what is over before it is told is not told', async (t) => {
  const { states, told } = statesWith()
  states.bad('blocked', 'orders', '', 0)
  t.equal(states.nextAt, 65_000, 'a link may be blocked for a while')
  states.good('blocked', 'orders', 30_000, true)
  t.strictSame([states.nextAt, told(100_000)], [undefined, []])
})

t.test('several successes may be asked for', async (t) => {
  const { states, told } = statesWith({ failures: 1, successes: 3, groupWait: 0 })
  states.bad('failing', 'orders', '', 0)
  t.same(told(0), ['orders failing begins'])
  for (const now of [1, 2]) states.good('failing', 'orders', now)
  states.bad('failing', 'orders', '', 3)
  for (const now of [4, 5]) states.good('failing', 'orders', now)
  t.same(told(5), [])
  states.good('failing', 'orders', 6)
  t.same(told(6), ['orders failing ends'])
})

t.test('at the end, what is due is told at once', async (t) => {
  const { states, told } = statesWith()
  for (const now of [0, 1, 2]) states.bad('failing', 'orders', '', now)
  states.bad('stopped', '', '', 2)
  states.bad('blocked', 'other', '', 2)
  t.strictSame(told(3, true), ['orders failing begins', ' stopped begins'])
})

t.test('links that are removed are forgotten', async (t) => {
  const { states } = statesWith({ failures: 1 })
  for (const link of ['a', 'b']) states.bad('failing', link, '', 0)
  states.keepOnly((name) => name === 'b')
  t.strictSame([states.knows('a'), states.knows('b')], [false, true])
  t.same(
    states.take(5000).map(({ link }) => link),
    ['b'],
  )
})

t.test('whatever happens: messages alternate, keep the pause, are true, and none is missing in the end', async () => {
  const link = fc.constantFrom('a', 'b', 'c')
  const limits = fc.record({
    failures: fc.integer({ min: 1, max: 4 }),
    successes: fc.integer({ min: 1, max: 4 }),
    blockedFor: fc.integer({ min: 0, max: 50 }),
    groupWait: fc.integer({ min: 0, max: 20 }),
    pause: fc.integer({ min: 0, max: 100 }),
  })
  const steps = fc.array(fc.record({ link, isBad: fc.boolean(), after: fc.integer({ min: 0, max: 30 }) }), {
    maxLength: 120,
  })
  fc.assert(
    fc.property(limits, steps, (limits, steps) => {
      const states = new AlertStates<number>(limits)
      /** The same, as plainly as it can be said. */
      const model = new Map(
        ['a', 'b', 'c'].map((name) => [name, { bad: 0, good: 0, isTrouble: false, isTold: false, at: -Infinity }]),
      )
      let now = 0
      const look = (until: number) => {
        for (;;) {
          const next = states.nextAt
          if (next === undefined || next > until) break
          now = Math.max(now, next)
          const changes = states.take(now)
          if (changes.length === 0) throw new Error('it was time, but nothing was told')
          for (const { link, isTrouble } of changes) {
            const of = model.get(link)
            if (of === undefined || of.isTold === isTrouble) throw new Error('told twice')
            if (of.isTrouble !== isTrouble) throw new Error('not true')
            if (isTrouble && now - of.at < limits.pause) throw new Error('too soon')
            of.isTold = isTrouble
            if (isTrouble) of.at = now
          }
        }
        now = until
      }
      for (const { link, isBad, after } of steps) {
        look(now + after)
        const of = model.get(link)
        if (of === undefined) throw new Error(link)
        of.bad = isBad ? of.bad + 1 : 0
        of.good = isBad ? 0 : of.good + 1
        if (of.bad >= limits.failures) of.isTrouble = true
        if (of.good >= limits.successes) of.isTrouble = false
        if (isBad) states.bad('failing', link, now, now)
        else states.good('failing', link, now)
      }
      look(now + 10_000)
      for (const { isTold, isTrouble } of model.values()) if (isTold !== isTrouble) throw new Error('missing')
      return states.nextAt === undefined
    }),
    { numRuns: runsOf(1000) },
  )
})
