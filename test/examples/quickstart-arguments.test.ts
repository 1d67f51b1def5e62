import path from 'node:path'
import t from 'tap'
import { parseArguments } from '../../examples/quickstart/arguments.js'
import { DEFAULT_OUTPUT } from '../../examples/quickstart/paths.js'
import { LIVE_FEED, readSettings, toEnvironment } from '../../examples/quickstart/settings.js'

t.test('without arguments the recorded feed is replayed in threads', async (t) => {
  t.match(parseArguments([]), {
    ...{
      url: undefined,
      planner: 'worker',
      interval: 0.1,
      seconds: Infinity,
      http: undefined,
      json: false,
      help: false,
    },
    out: DEFAULT_OUTPUT,
  })
})

t.test('a live feed is polled every 60 s unless told otherwise', async (t) => {
  t.equal(parseArguments(['--url', LIVE_FEED]).interval, 60)
  t.equal(parseArguments(['--url', LIVE_FEED, '--interval=5']).interval, 5)
})

t.test('arguments are taken', async (t) => {
  const argv = ['--threads=3', '--planner=schedule', '--out=some/where', '--work=0.5', '--seconds=2', '--json']
  t.match(parseArguments(argv), {
    ...{ threads: 3, planner: 'schedule', work: 0.5, seconds: 2, json: true },
    out: path.resolve('some/where'),
  })
})

t.test('a bad argument is named, with what was expected and what came', async (t) => {
  t.throws(() => parseArguments(['--threads=0']), /--threads: expected a number above 0, got '0'/)
  t.throws(() => parseArguments(['--threads=1.5']), /--threads: expected an integer, got '1.5'/)
  t.throws(() => parseArguments(['--interval=']), /--interval: expected a number above 0, got ''/)
  t.throws(() => parseArguments(['--work=much']), /--work: expected a number above 0, got 'much'/)
  t.throws(() => parseArguments(['--planner=x']), /--planner: expected worker or schedule, got 'x'/)
  t.throws(() => parseArguments(['--url=ftp://x']), /--url: expected a http/)
  t.throws(() => parseArguments(['--nonsense']), /nonsense/)
  t.throws(() => parseArguments(['stray']), /stray/)
})

t.test('settings reach the link module by the environment', async (t) => {
  const settings = { feed: 'http://127.0.0.1/{part}', output: '/some/where', interval: 0.25, work: 2 }
  t.same(readSettings(toEnvironment(settings)), settings)
})

t.test('without an environment the link module polls the live feed', async (t) => {
  t.same(readSettings({}), { feed: LIVE_FEED, output: DEFAULT_OUTPUT, interval: 60, work: 8 })
})

t.test('a bad setting is named', async (t) => {
  t.throws(() => readSettings({ QUICKSTART_WORK: 'x' }), /QUICKSTART_WORK: expected a number above 0, got 'x'/)
})
