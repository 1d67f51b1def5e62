import t from 'tap'
import type { Duration } from '../../src/base/duration.js'
import {
  count,
  custom,
  flag,
  func,
  given,
  optionalTime,
  path,
  resolveOptions,
  seconds,
  time,
  timer,
  word,
  type Spec,
} from '../../src/base/options.js'

interface Options {
  readonly on?: boolean
  readonly size?: number
  readonly timeout?: number | Duration
  readonly patience?: number | Duration
  readonly refresh?: number
  readonly pause?: number | Duration
  readonly file?: string
  readonly next?: () => void
  readonly mode?: 'fast' | 'safe'
  readonly target?: string
  readonly doubled?: number
}

const OPTIONS = {
  on: flag(true),
  size: count(10, { orInfinity: true }),
  timeout: optionalTime,
  patience: time(60_000),
  refresh: seconds(1000),
  pause: timer(1500),
  file: path('undefined - none'),
  next: func<() => void>(undefined, 'undefined'),
  mode: word(['fast', 'safe'], 'safe'),
  target: given<string>(),
  doubled: custom((_name, value: number | undefined) => (value ?? 1) * 2, '1'),
} satisfies Spec<Options>

// the compiler sees a row that is missing, one too many, and one of another type
// @ts-expect-error an option has no row
export const missing = { on: flag(true) } satisfies Spec<Pick<Options, 'on' | 'size'>>
// @ts-expect-error a row has no option
export const tooMany = { on: flag(true), off: flag(true) } satisfies Spec<Pick<Options, 'on'>>
// @ts-expect-error a row reads another type
export const other = { on: count(1) } satisfies Spec<Pick<Options, 'on'>>

t.test('a table gives every option, defaults included', async (t) => {
  t.strictSame(resolveOptions(undefined, {}, OPTIONS), {
    on: true,
    size: 10,
    timeout: undefined,
    patience: 60_000,
    refresh: 1000,
    pause: 1500,
    file: undefined,
    next: undefined,
    mode: 'safe',
    target: undefined,
    doubled: 2,
  })
  const next = () => {}
  const all: Options = {
    on: false,
    size: Infinity,
    timeout: 1.5,
    patience: { minutes: 2 },
    refresh: 0,
    pause: { days: 1 },
    file: 'a/b',
    next,
    mode: 'fast',
    target: 'x',
    doubled: 4,
  }
  t.strictSame(resolveOptions(undefined, Object.freeze(all), OPTIONS), {
    on: false,
    size: Infinity,
    timeout: 1500,
    patience: 120_000,
    refresh: 0,
    pause: 86_400_000,
    file: 'a/b',
    next,
    mode: 'fast',
    target: 'x',
    doubled: 8,
  })
})

t.test('what is wrong is an error with its name, what was expected and what came', async (t) => {
  const wrong: [object, string][] = [
    [{ on: 1 }, 'X.on: expected a boolean, got 1'],
    [{ size: 0 }, 'X.size: expected an integer of at least 1, or Infinity, got 0'],
    [
      { timeout: Infinity },
      'X.timeout: expected a number of seconds or a duration like { minutes: 5 }, of at least 1 ms, got Infinity',
    ],
    [
      { patience: { minute: 5 } },
      "X.patience.minute: expected one of milliseconds, seconds, minutes, hours, days, weeks, got 'minute': did you mean minutes?",
    ],
    [{ refresh: -1 }, 'X.refresh: expected a number of seconds of at least 0, got -1'],
    [{ pause: { weeks: 4 } }, 'X.pause: expected at most 24 days, got { weeks: 4 }'],
    [
      { pause: Infinity },
      'X.pause: expected a number of seconds or a duration like { minutes: 5 }, of at least 1 ms, got Infinity',
    ],
    [{ file: '' }, "X.file: expected a path, got ''"],
    [{ next: 'soon' }, "X.next: expected a function, got 'soon'"],
    [
      {
        next: class Next {
          n = 1
        },
      },
      'X.next: expected a function, got [class Next]: a class cannot be called without new',
    ],
    [{ mode: 'save' }, "X.mode: expected one of 'fast', 'safe', got 'save': did you mean safe?"],
    [{ mode: 5 }, "X.mode: expected one of 'fast', 'safe', got 5"],
    [
      { Timeout: 5 },
      "X.Timeout: expected one of the options, got 'Timeout': did you mean timeout? They are on, size, timeout, patience, refresh, pause, file, next, mode, target, doubled",
    ],
    [
      { nothing: 5 },
      "X.nothing: expected one of the options on, size, timeout, patience, refresh, pause, file, next, mode, target, doubled, got 'nothing'",
    ],
  ]
  for (const [options, message] of wrong) {
    t.throws(() => resolveOptions('X', options, OPTIONS), { code: 'DATABAY_INVALID_OPTION', message })
  }
  t.throws(() => resolveOptions('X', 'secret' as unknown as object, OPTIONS), {
    message: "X.options: expected an object, got 'string'",
  })
  t.throws(() => resolveOptions('X.retry', 3 as unknown as object, OPTIONS), {
    message: 'X.retry: expected an object, got 3',
  })
})

t.test('the docs can tell what each option is by default', async (t) => {
  t.strictSame(
    Object.values(OPTIONS).map(({ byDefault }) => byDefault),
    ['true', '10', 'undefined', '60', '1', '1.5', 'undefined - none', 'undefined', "'safe'", undefined, '1'],
  )
})
