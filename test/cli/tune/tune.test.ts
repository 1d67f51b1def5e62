import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { TuneResult } from '../../../src/cli/tune/result.js'
import { command, commandInTerminal, MAIN, MEASURED, screenOf } from '../../helpers/command.js'

/*
 * Runs of the command as processes of their own, for a short time. Which setting wins is not looked at.
 */

if (!existsSync(MAIN)) t.bailout('the command is not built: run `npm run build` first')

t.test('it prints a table, charts and a recommendation with its reason', async (t) => {
  const run = command(t, 'tune --threads 1,2 --seconds 0.5 tuned.mjs')
  t.equal(await run.ended, 0, run.stderr)
  t.match(run.stdout, /^2 links, \d+ cores?, 5 rounds of 0\.1 s for each setting; outlets were given nothing\n/)
  t.match(run.stdout, / +records\/s +transfers\/s +gets done +main thread p99 +memory +busy\n/)
  t.match(run.stdout, /\n +1 thread +[\d.]+k? +[\d.]+k? +1\.00 × +[\d.]+ ms +\d+ MiB +\d+ %\n/)
  t.match(run.stdout, /\n2 threads +[\d.]+k? +[\d.]+k? +\d\.\d\d × +[\d.]+ ms +\d+ MiB +\d+, \d+ %\n/)
  for (const title of ['records/s', 'delay of the main thread, p99', 'memory of the threads', 'threads busy']) {
    t.match(run.stdout, new RegExp(`\n${title}\n +1 thread .*\n +2 threads .*\n`))
  }
  t.match(run.stdout, /\n(1 thread: 2 threads gain|2 threads: \d\.\d\d × 1 thread; more was not tried)/)
  t.match(run.stderr, /^(databay: round .*\n)*$/)
})

t.test('links transfer again as soon as they have ended, and nothing is delivered anywhere', async (t) => {
  const folder = t.testdir({ notes: '', lines: 'one\ntwo\nthree\n' })
  const env = { DATABAY_TEST_FILE: join(folder, 'notes'), DATABAY_TEST_LINES: join(folder, 'lines') }
  const run = command(t, 'tune --threads 1 --seconds 1 --json tuned.mjs', env)
  t.equal(await run.ended, 0, run.stderr)
  const { settings, links, recommended, push } = JSON.parse(run.stdout) as TuneResult
  t.equal(links, 3)
  t.equal(push, false)
  t.strictSame(recommended, { threads: 1, transfersPerThread: 1000 })
  // links that are due every 1000 s
  t.ok((settings[0]?.transfersPerSecond ?? 0) > 20, `${settings[0]?.transfersPerSecond} a second`)
  t.ok((settings[0]?.recordsPerSecond ?? 0) > 60)
  t.equal(readFileSync(join(folder, 'notes'), 'utf8'), '', 'no outlet was started, no inlet was told of a delivery')
  const position = `${env.DATABAY_TEST_LINES}.position`
  const again = command(t, 'run --threads 1 --transfers 3 tuned.mjs', { ...env, DATABAY_TEST_SECONDS: '0.01' })
  t.equal(await again.ended, 0)
  t.match(
    again.stderr,
    /9 transfers of 3 links .* 21 records pulled/,
    'all three lines are still to be read, one by one',
  )
  t.ok(existsSync(position))
})

t.test('--push gives outlets what they would be given in a run', async (t) => {
  const folder = t.testdir({ notes: '' })
  const run = command(t, 'tune --threads 1 --seconds 0.5 --push tuned.mjs', {
    DATABAY_TEST_FILE: join(folder, 'notes'),
    ...MEASURED,
  })
  t.equal(await run.ended, 0, run.stderr)
  t.match(run.stdout, /; outlets pushed\n/)
  const notes = new Set(readFileSync(join(folder, 'notes'), 'utf8').trim().split('\n'))
  t.strictSame([...notes].sort(), ['delivered', 'pushed', 'started'])
})

t.test('--json is one document, with every setting that was tried', async (t) => {
  const run = command(t, 'tune --threads 2 --transfers-per-thread 10,1 --seconds 0.5 --json tuned.mjs')
  t.equal(await run.ended, 0, run.stdout.slice(-400))
  const result = JSON.parse(run.stdout) as TuneResult
  t.strictSame(
    result.settings.map(({ threads, transfersPerThread }) => [threads, transfersPerThread]),
    [
      [2, 1],
      [2, 10],
    ],
  )
  for (const { utilization, rounds, threads, memory, delay } of result.settings) {
    t.equal(utilization.length, threads)
    t.equal(rounds.length, 5)
    t.ok(memory > 1e6)
    t.ok(delay >= 0)
  }
  t.type(result.reason, 'string')
})

t.test('no more threads are tried than links can make use of', async (t) => {
  const run = command(t, 'tune --seconds 0.5 --json slow.mjs')
  t.equal(await run.ended, 0)
  const { settings, notes } = JSON.parse(run.stdout) as TuneResult
  t.match(settings, [{ threads: 1 }])
  t.match(notes, ['more threads are of no use: the links make 1 transfer at once at most'])
  t.match(notes.join('\n'), /the links mostly wait: no thread was busy for more than \d+ % of the time/)
  t.ok(
    Math.abs((settings[0]?.transfersPerSecond ?? 0) - 2.2) < 0.4,
    `transfers that are longer than a round count right: ${settings[0]?.transfersPerSecond}`,
  )
})

t.test('what is wrong is said, with exit code 1', async (t) => {
  const failing = command(t, 'tune --threads 1 --seconds 0.5 failing.mjs', MEASURED)
  t.equal(await failing.ended, 1)
  t.equal(
    failing.stderr,
    'databay: transfer failing.0 failed: FailingInlet failed to pull: the source is gone: connection refused\n',
  )
  const messages = {
    none: /^databay: file:.*troubled\.mjs: exports no link: /,
    empty: /^databay: no inlet gave a record while it was measured, in \d+ transfers: there is nothing to compare\n$/,
    ignores: /^databay: all \d+ transfers of troubled failed: TroubledInlet failed to pull: no such table\n$/,
  }
  for (const [trouble, message] of Object.entries(messages)) {
    const run = command(t, 'tune --threads 1 --seconds 0.5 troubled.mjs', { DATABAY_TEST_TROUBLE: trouble })
    t.equal(await run.ended, 1, trouble)
    t.match(run.stderr, message)
    t.equal(run.stdout, '')
  }
  const json = command(t, 'tune --json --threads 1 --seconds 0.5 failing.mjs')
  t.equal(await json.ended, 1)
  t.match(JSON.parse(json.stdout), { error: { code: 'DATABAY_TRANSFER_FAILED' } })
})

t.test('Ctrl-C ends it in order, also while a transfer would go on for an hour', async (t) => {
  for (const [line, env] of [
    ['tune --threads 1 --seconds 60 tuned.mjs', MEASURED],
    ['tune --threads 1 --seconds 0.5 troubled.mjs', { DATABAY_TEST_TROUBLE: 'stubborn' }],
  ] as const) {
    const run = commandInTerminal(t, 80, line, env)
    await run.until(() => run.stdout.includes('round 1 of 5 | 1 thread'))
    run.type('\u0003')
    t.equal(await run.ended, 130)
    const screen = screenOf(run.stdout).join('\n')
    t.match(screen, 'databay: SIGINT: ends without a result; once more stops at once')
    t.notMatch(screen, 'records/s\n')
  }
})

t.test('bad arguments are told, with exit code 2', async (t) => {
  const lines = {
    'tune --threads 1,x slow.mjs': "--threads: expected integers of at least 1, with commas between, got '1,x'",
    'tune --threads 2,2 slow.mjs': "--threads: expected each number once, got '2,2'",
    'tune --transfers-per-thread 0 slow.mjs':
      "--transfers-per-thread: expected integers of at least 1, with commas between, got '0'",
    'tune --seconds 0 slow.mjs': "--seconds: expected a number of seconds above 0, got '0'",
    'tune ./none.mjs': "<link-module>: expected a link module that exists, got './none.mjs'",
    tune: "<link-module>: expected link modules, as in databay run links.js, or a configuration that names them, got 'none': there is no databay.config.js in this folder; databay create writes a project",
  }
  for (const [line, message] of Object.entries(lines)) {
    const run = command(t, line)
    t.equal(await run.ended, 2, line)
    t.equal(run.stderr, `databay: ${message}\n`)
  }
})
