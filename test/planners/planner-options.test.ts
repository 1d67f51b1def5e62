import t from 'tap'
import { PLANNER_OPTIONS, resolvePlannerOptions, type PlannerOptions } from '../../src/planners/planner-options.js'

const resolve = (options: PlannerOptions, ...more: string[]) => resolvePlannerOptions(options, more)

t.test('without options, the defaults hold', async (t) => {
  const options = resolve({})
  t.strictSame(options, {
    ignoreExceptions: false,
    immediateTransfer: true,
    shutdownAtExit: false,
    transfers: Infinity,
    lateAfter: 1000,
    drain: true,
    startTimeout: 60_000,
    shutdownTimeout: 60_000,
    timeoutGrace: 1000,
    store: undefined,
    http: undefined,
    telemetry: false,
    alerts: [],
    control: false,
  })
  t.ok(Object.isFrozen(options))
})

t.test('an option that is undefined has its default', async (t) => {
  const nothing = Object.fromEntries(Object.keys(PLANNER_OPTIONS).map((name) => [name, undefined]))
  t.strictSame(resolve(nothing as unknown as PlannerOptions), resolve({}))
})

t.test('options are taken as they are; the length of time is seconds', async (t) => {
  const given = Object.freeze({
    ignoreExceptions: true,
    immediateTransfer: false,
    shutdownAtExit: true,
    transfers: 3,
    lateAfter: 0.25,
    drain: false,
    startTimeout: { minutes: 2 },
    shutdownTimeout: Infinity,
    timeoutGrace: 0.05,
    store: './state',
    telemetry: true,
    control: './control.sock',
  })
  t.match(resolve(given), { ...given, lateAfter: 250, startTimeout: 120_000, timeoutGrace: 50 })
  t.equal(resolve({ transfers: Infinity }).transfers, Infinity)
  t.equal(resolve({ lateAfter: 0 }).lateAfter, 0)
  t.equal(resolve({ lateAfter: Infinity }).lateAfter, Infinity)
})

t.test('a subclass has options of its own', async (t) => {
  t.doesNotThrow(() => resolve({ threads: 3 } as PlannerOptions, 'threads'))
  t.throws(() => resolve({ threads: 3 } as PlannerOptions), {
    code: 'DATABAY_INVALID_OPTION',
    option: 'threads',
    message: /^threads: expected one of the options ignoreExceptions, .*store, .*, got 'threads'$/,
  })
})

t.test('what is wrong is refused by name, with what was expected and what came', async (t) => {
  const wrong: [option: keyof PlannerOptions, value: unknown, message: RegExp][] = [
    ['ignoreExceptions', 1, /^ignoreExceptions: expected a boolean, got 1$/],
    ['immediateTransfer', 'yes', /^immediateTransfer: expected a boolean, got 'yes'$/],
    ['shutdownAtExit', null, /^shutdownAtExit: expected a boolean, got null$/],
    ['drain', 0, /^drain: expected a boolean, got 0$/],
    ['startTimeout', 0, /^startTimeout: expected a number of seconds or a duration/],
    ['shutdownTimeout', -1, /^shutdownTimeout: /],
    ['transfers', 0, /^transfers: expected an integer of at least 1, or Infinity, got 0$/],
    ['transfers', 1.5, /^transfers: /],
    ['transfers', Number.NaN, /^transfers: /],
    ['transfers', '3', /^transfers: /],
    ['lateAfter', -1, /^lateAfter: expected a number of seconds of at least 0, got -1$/],
    ['lateAfter', Number.NaN, /^lateAfter: /],
    ['lateAfter', '1', /^lateAfter: /],
    ['lateAfter', null, /^lateAfter: /],
  ]
  for (const [option, value, message] of wrong) {
    t.throws(() => resolve({ [option]: value }), { code: 'DATABAY_INVALID_OPTION', option, message }, message.source)
  }
})

t.test('options that are no object are refused', async (t) => {
  for (const options of [null, 5, 'threads', [], () => {}]) {
    t.throws(() => resolve(options as PlannerOptions), {
      code: 'DATABAY_INVALID_OPTION',
      message: /^options: expected an object, got /,
    })
  }
})
