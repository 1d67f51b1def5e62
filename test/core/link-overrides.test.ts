import t from 'tap'
import { ConfigError } from '../../src/base/errors.js'
import { resolveLink, type GivenSettings } from '../../src/core/link-options.js'
import { LinkOverrides, type LinkOverride, type LinkOverrideSettings } from '../../src/core/link-overrides.js'
import { Link } from '../../src/core/link.js'
import { NullInlet } from '../../src/connectors/samples/null-inlet.js'
import { NullOutlet } from '../../src/connectors/samples/null-outlet.js'
import { Record } from '../../src/core/record.js'
import fc from '../helpers/fast-check.js'

const overrides = (links: { readonly [pattern: string]: LinkOverrideSettings }) =>
  new LinkOverrides(Object.entries(links).map(([pattern, settings]) => override(pattern, settings)))

function override(pattern: string, settings: LinkOverrideSettings): LinkOverride {
  return { pattern, settings, file: 'databay.config.js', place: `links['${pattern}']` }
}

/** Settings of a link `orders_eu`, with the tag `mail`, under overrides. */
function resolved(given: GivenSettings, links: { readonly [pattern: string]: LinkOverrideSettings }) {
  return overrides(links).resolve({ id: 'orders_eu', name: 'orders_eu', tags: ['mail'] }, given)
}

const fits = (pattern: string, link: { readonly id?: string; readonly tags?: readonly string[] }) =>
  overrides({ [pattern]: {} }).of({ tags: [], ...link }).length === 1

t.test('a pattern is an id, one with a * in it, or a tag', async (t) => {
  t.ok(fits('orders', { id: 'orders' }))
  t.notOk(fits('orders', { id: 'orders_eu' }))
  t.ok(fits('orders_*', { id: 'orders_eu' }))
  t.ok(fits('*', { id: 'a' }))
  t.ok(fits('*_eu_*', { id: 'orders_eu_1' }))
  t.notOk(fits('orders_*', { id: 'my_orders_eu' }))
  t.ok(fits('tag:mail', { id: 'a', tags: ['web', 'mail'] }))
  t.ok(fits('tag:ma*', { tags: ['mail'] }))
  t.notOk(fits('mail', { id: 'a', tags: ['mail'] }), 'a tag is no id')
  t.ok(fits('links[2]', { id: 'links[2]' }), 'brackets stand for themselves')
  t.notOk(fits('a.c', { id: 'abc' }))
  t.notOk(fits('a.*', { id: 'abc' }), 'a dot stands for itself beside a *, too')
  t.notOk(fits('*', {}), 'a link without an id is known by its tags alone')
})

t.test('each setting is that of the last override that has it, else the link has its own', async (t) => {
  const settings = resolved(
    { interval: 5, maxInstances: 3, timeout: 7 },
    {
      'orders_*': { interval: { minutes: 1 }, maxInstances: 2 },
      other: { maxInstances: 9 },
      'tag:mail': { maxInstances: 4 },
    },
  )
  t.match(settings, { schedule: { every: 60_000 }, maxInstances: 4, timeout: 7000 })
  t.equal(resolved({ interval: 5 }, { other: { maxInstances: 2 } }), undefined)
})

t.test('an interval takes the place of a cron expression, and a cron expression that of an interval', async (t) => {
  const given = { cron: '0 3 * * *', timeZone: 'Europe/Amsterdam', catchUp: false }
  t.match(resolved(given, { '*': { interval: 2 } }), {
    schedule: { every: 2000, cron: undefined, timeZone: undefined },
    immediateTransfer: true,
  })
  const daily = resolved(
    { interval: 60, alignToClock: true, jitter: 3 },
    { '*': { cron: '0 3 * * *', timeZone: 'UTC' } },
  )
  t.match(daily, {
    schedule: { every: undefined, cron: '0 3 * * *', timeZone: 'UTC', alignToClock: false, jitter: 3000 },
    immediateTransfer: false,
  })
  t.match(
    resolved({ interval: 60 }, { '*': { cron: '0 3 * * *' }, 'tag:mail': { interval: 9 } }),
    { schedule: { every: 9000, cron: undefined } },
    'the last one counts',
  )
})

t.test('what the settings come to together has to hold, else the error names where it was written', async (t) => {
  const refused = (
    given: GivenSettings,
    links: { readonly [pattern: string]: LinkOverrideSettings },
    message: string,
  ) => {
    t.throws(() => resolved(given, links), new ConfigError('databay.config.js', message))
  }
  refused(
    { interval: 5, delivery: 'cursor' },
    { '*': { jitter: 1 }, 'orders_*': { maxInstances: 2 }, 'tag:mail': { timeout: 1 } },
    "links['orders_*']: link orders_eu: maxInstances: expected 1 with delivery: 'cursor', got 2",
  )
  refused(
    { interval: 5, maxInstances: 2 },
    { 'orders_*': { delivery: 'cursor' } },
    "links['orders_*']: link orders_eu: maxInstances: expected 1 with delivery: 'cursor', got 2",
  )
  refused(
    { interval: 60, jitter: 30 },
    { 'orders_*': { interval: 10 } },
    "links['orders_*']: link orders_eu: jitter: expected less than the interval of 10000 ms, got 30",
  )
})

t.test('what hides records from the disk stays when dead letters are overridden', async (t) => {
  const redact = (record: Record) => record.with({ payload: undefined })
  const given: GivenSettings = { interval: 5, delivery: 'cursor', deadLetters: { redact, max: 7 } }
  t.match(resolved(given, { '*': { deadLetters: { after: 1 } } }), { deadLetters: { after: 1, max: 100_000, redact } })
  t.match(resolved(given, { '*': { deadLetters: false } }), { deadLetters: false })
})

t.test('the last override with a word on it says whether a link runs', async (t) => {
  const link = { id: 'orders_eu', tags: ['mail'] }
  t.match(overrides({ 'tag:mail': { enabled: false } }).disabling(link), { pattern: 'tag:mail' })
  t.equal(overrides({ 'tag:mail': { enabled: false }, 'orders_*': { enabled: true } }).disabling(link), undefined)
  t.equal(overrides({ 'tag:mail': { maxInstances: 1 } }).disabling(link), undefined)
  t.equal(overrides({}).disabling(link), undefined)
})

t.test('a pattern that no link fits is an error with what was probably meant', async (t) => {
  const links = [
    { id: 'orders_eu', tags: ['mail', 'daily'] },
    { id: 'orders_us', tags: [] },
  ]
  const refused = (pattern: string, message: RegExp) => {
    t.throws(() => overrides({ '*': {}, [pattern]: {} }).check(links), { code: 'DATABAY_CONFIG', message })
  }
  refused(
    'ordres_*',
    /^databay.config.js: links\['ordres_\*'\]: expected the id of a link, no link fits it \(there are orders_eu, orders_us\): did you mean orders_\*\?$/,
  )
  refused('order_eu', /: did you mean orders_eu\?$/)
  refused('tag:mial', /expected the tag of a link, .* \(there are tag:mail, tag:daily\): did you mean tag:mail\?$/)
  refused('mail', /: did you mean tag:mail\?$/)
  refused('tag:nowhere_near', /tag:daily\)$/)
  overrides({ 'orders_*': {}, 'tag:daily': {} }).check(links)
  new LinkOverrides([{ ...override('else', {}), optional: true }]).check(links)
  const many = Array.from({ length: 20 }, (_, at) => ({ id: `link${at}`, tags: [] }))
  t.throws(() => overrides({ xyz: {} }).check(many), /link9, and 10 more\)$/)
})

t.test('a link takes its settings once, under the name of its export', async (t) => {
  const link = new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 5 })
  link.nameAfterExport('orders', overrides({ orders: { interval: 9, timeout: 2 } }))
  t.match(link.settings, { timeout: 2000, schedule: { every: 9000 } })
  t.equal(link.schedule.every, 9000)
  t.equal(Object.isFrozen(link.settings), true)
  link.override(overrides({ orders: { timeout: 3 } }))
  t.equal(link.settings.timeout, 2000)
})

t.test('an interval that code has set stays, unless the configuration has another', async (t) => {
  const make = () => new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 5, id: 'orders' })
  const kept = make()
  kept.setInterval(7)
  kept.override(overrides({ orders: { timeout: 3 } }))
  t.equal(kept.schedule.every, 7000)
  const replaced = make()
  replaced.setInterval(7)
  replaced.override(overrides({ orders: { interval: 8 } }))
  t.equal(replaced.schedule.every, 8000)
})

t.test('links that differ in nothing share their settings, with overrides too', async (t) => {
  const both = overrides({ '*': { interval: 9 } })
  const links = ['a', 'b'].map(
    (id) => new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 5, id }),
  )
  for (const link of links) link.override(both)
  t.equal(links[0]?.settings, links[1]?.settings)
  t.match(resolveLink({ interval: 5 }).settings.schedule, { every: 5000 })
})

t.test('a pattern with many stars is matched in no time, and as one with a regular expression would be', async (t) => {
  t.notOk(fits(`${'*a'.repeat(40)}b`, { id: 'a'.repeat(200) }))
  t.ok(fits('*a'.repeat(40), { id: 'a'.repeat(200) }))
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 8 })
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (parts, id) => {
      return fits(parts.join('*'), { id }) === new RegExp(`^${parts.join('.*')}$`, 's').test(id)
    }),
  )
})
