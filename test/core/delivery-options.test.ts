import t from 'tap'
import { resolveLink, type LinkSettings, type ResolvedSettings } from '../../src/core/link-options.js'
import type { Record } from '../../src/core/record.js'

const DAY = 86_400_000

const settings = (options: LinkSettings): ResolvedSettings => resolveLink(options).settings
const durable = (options: Partial<LinkSettings>): ResolvedSettings =>
  settings({ interval: 1, delivery: 'cursor', ...options })

t.test('a durable link tries again for ever, and has dead letters, by itself', async (t) => {
  t.strictSame(durable({}).retry, { minDelay: 1000, maxDelay: 300_000 })
  t.strictSame(durable({}).deadLetters, {
    after: 3,
    max: 100_000,
    maxAge: 30 * DAY,
    whenFull: 'wait',
    payload: true,
    redact: undefined,
  })
  t.equal(settings({ interval: 1 }).deadLetters, false, 'a link in memory has none')
})

t.test('what is given is taken, with lengths of time in milliseconds', async (t) => {
  const redact = (record: Record) => record
  const { retry, deadLetters } = durable({
    retry: { minDelay: { milliseconds: 50 }, maxDelay: 2 },
    deadLetters: { after: 1, max: 7, maxAge: { hours: 1 }, whenFull: 'dropOldest', payload: false, redact },
  })
  t.strictSame(retry, { minDelay: 50, maxDelay: 2000 })
  t.strictSame(deadLetters, {
    after: 1,
    max: 7,
    maxAge: 3_600_000,
    whenFull: 'dropOldest',
    payload: false,
    redact,
  })
  t.ok(Object.isFrozen(retry) && Object.isFrozen(deadLetters))
  t.equal(durable({ deadLetters: false }).deadLetters, false)
  t.match(durable({ deadLetters: { maxAge: Infinity } }).deadLetters, { maxAge: Infinity, max: 100_000 })
  t.strictSame(durable({ retry: { minDelay: 600 } }).retry, { minDelay: 600_000, maxDelay: 600_000 })
})

t.test('a wrong option is refused by its name, with what was meant', async (t) => {
  const wrong: [Partial<{ [name in keyof LinkSettings]: unknown }>, RegExp][] = [
    [{ retry: 5 }, /^retry: expected an object, got 5$/],
    [{ retry: { minDelai: 1 } }, /^retry\.minDelai: expected one of .+: did you mean minDelay\? They are /],
    [{ retry: { retries: 3 } }, /^retry\.retries: expected one of the options minDelay, maxDelay, got 'retries'$/],
    [{ retry: { minDelay: 0 } }, /^retry\.minDelay: expected .+ of at least 1 ms, got 0$/],
    [{ retry: { minDelay: 2, maxDelay: 1 } }, /^retry\.maxDelay: expected at least the minDelay, got 1$/],
    [{ retry: { maxDelay: { days: 25 } } }, /^retry\.maxDelay: expected at most 24 days, got /],
    [{ retry: { maxDelay: Infinity } }, /^retry\.maxDelay: expected .+, got Infinity$/],
    [{ deadLetters: true }, /^deadLetters: expected false, or an object with its options, got true$/],
    [{ deadLetters: null }, /^deadLetters: expected an object, got null$/],
    [{ deadLetters: { maxage: 1 } }, /^deadLetters\.maxage: .+: did you mean maxAge\? They are /],
    [{ deadLetters: { after: 0 } }, /^deadLetters\.after: expected an integer of at least 1, got 0$/],
    [{ deadLetters: { max: Infinity } }, /^deadLetters\.max: expected an integer of at least 1, got Infinity$/],
    [{ deadLetters: { maxAge: { day: 1 } } }, /^deadLetters\.maxAge\.day: .+: did you mean days\?$/],
    [{ deadLetters: { whenFull: 'dropoldest' } }, /^deadLetters\.whenFull: .+: did you mean dropOldest\?$/],
    [{ deadLetters: { payload: 'no' } }, /^deadLetters\.payload: expected a boolean, got 'no'$/],
    [{ deadLetters: { redact: 'all' } }, /^deadLetters\.redact: expected a function, got 'all'$/],
  ]
  for (const [options, message] of wrong) {
    t.throws(() => durable(options as Partial<LinkSettings>), { code: 'DATABAY_INVALID_OPTION', message })
  }
})

t.test('retries and dead letters are refused without delivery', async (t) => {
  const needed = /^\w+: expected delivery: 'cursor' with it, got "delivery: 'memory'"$/
  for (const options of [{ retry: {} }, { deadLetters: {} }, { deadLetters: false as const }]) {
    t.throws(() => settings({ interval: 1, ...options }), { code: 'DATABAY_INVALID_OPTION', message: needed })
    t.throws(() => settings({ interval: 1, delivery: 'memory', ...options }), { message: needed })
    t.doesNotThrow(() => durable(options))
  }
})

t.test('links have settings of their own for each function, and for options that were changed', async (t) => {
  const keep = (record: Record) => record
  const one = durable({ deadLetters: { redact: keep } })
  t.equal(durable({ deadLetters: { redact: keep } }), one, 'the same function')
  const other = (record: Record) => record
  t.match(durable({ deadLetters: { redact: other } }).deadLetters, { redact: other })
  const maxAge = { days: 1 }
  durable({ deadLetters: { maxAge } })
  maxAge.days = 2
  t.match(durable({ deadLetters: { maxAge } }).deadLetters, { maxAge: 2 * DAY }, 'a duration within was changed')
})
