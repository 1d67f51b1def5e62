import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { cliFixture, command, commandInTerminal, MAIN, MEASURED, screenOf } from '../helpers/command.js'

/*
 * Runs of the built command as a process of its own, with real signals and in a real terminal.
 */

if (!existsSync(MAIN)) t.bailout('the command is not built: run `npm run build` first')

const python = spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode'])
const noTerminal = python.status === 0 ? false : 'no python3 (3.9 or later) to make a terminal with'

/** Waits until a further signal asks again. */
const aSecond = () => new Promise((resolve) => setTimeout(resolve, 1100))

t.test('--once makes one transfer and ends', async (t) => {
  const run = command(t, 'run --once ticks.mjs --threads 1', MEASURED)
  t.equal(await run.ended, 0)
  t.equal(run.stdout, 'tick 0\n', 'standard output is left to outlets')
  t.match(
    run.stderr,
    /^(?:databay: starting .*\n)*databay: started 1 link of 1 module in 1 thread\n( {2}.*\n){2}databay: 1 transfer of 1 link in .*\n$/,
  )
})

t.test('bad arguments have exit code 2', async (t) => {
  for (const [line, message] of [
    [
      'run',
      /^databay: <link-module>: expected link modules, as in databay run links.js, or a configuration that names them/,
    ],
    ['run ./none.mjs', /^databay: <link-module>: expected a link module that exists/],
    ['run ticks.mjs --fast', /^databay: unknown option '--fast'/],
  ] as const) {
    const run = command(t, line)
    t.equal(await run.ended, 2, line)
    t.match(run.stderr, message)
    t.equal(run.stdout, '')
  }
})

t.test('an exception has exit code 1', async (t) => {
  const run = command(t, 'run failing.mjs --threads 1 --stop-on-error')
  t.equal(await run.ended, 1)
  t.match(run.stderr, /^databay: transfer failing\.0 failed: .*: connection refused$/m)
})

t.test('an exception after the start has exit code 1 too', async (t) => {
  const run = command(t, 'run failing.mjs --threads 1 --stop-on-error --no-immediate-transfer')
  t.equal(await run.ended, 1)
  t.match(run.stderr, /^databay: transfer failing\.0 failed: .*: connection refused$/m)
})

for (const [first, ...others] of [
  ['SIGTERM'],
  ['SIGHUP'],
  ['SIGTERM', 'SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
] as const) {
  const what = others.length === 0 ? first : `${first}, with ${others.join(' and ')} in a moment,`
  t.test(`${what} drains buffered records into the file, and has exit code 0`, async (t) => {
    const file = `${t.testdir({})}/out.txt`
    const run = command(t, 'run --threads 1 --json buffered.mjs', { DATABAY_TEST_FILE: file })
    await run.until(() => run.stdout.split('"transfer"').length > 4)
    t.notOk(existsSync(file), 'nothing is written yet')
    run.kill(first)
    for (const other of others) {
      await new Promise((resolve) => setTimeout(resolve, 4))
      run.kill(other)
    }
    t.equal(await run.ended, 0)
    const written = readFileSync(file, 'utf8').trimEnd().split('\n')
    const finished = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '') as { totals: { pulled: number } }
    t.ok(written.length >= 3)
    t.equal(written.length, finished.totals.pulled)
  })
}

for (const [first, second, code] of [
  ['SIGTERM', 'SIGTERM', 143],
  ['SIGTERM', 'SIGINT', 130],
  ['SIGTERM', 'SIGHUP', 129],
] as const) {
  t.test(`a signal a second later, ${second}, stops at once with exit code ${code}`, async (t) => {
    const run = command(t, 'run --threads 1 --json hanging.mjs')
    await run.until(() => run.stdout.includes('"transfer"')) // of two links, one has transferred
    run.kill(first)
    await run.until(() => run.stderr.includes('draining'))
    t.match(run.stderr, 'databay: SIGTERM: waiting for 1 running transfer, then draining buffers')
    await aSecond()
    run.kill(second)
    t.equal(await run.ended, code)
    t.match(run.stderr, `databay: ${second}: stopped at once, 1 transfer abandoned, 1 record left in buffers\n`)
  })
}

for (const [what, line, expected] of [
  ['what links print', 'ticks.mjs', /^tick 0\ntick 1\n$/],
  ['events', '--json ticks.mjs', /^{"event":"started",.*\n{"event":"(?:transfer|late)",.*\n$/],
  ['all of it', 'ticks.mjs 2>&1', /^databay: started .*\n {2}link .*\n$/],
] as const) {
  t.test(`a reader that goes away stops it in order, and is no error: ${what}`, async (t) => {
    const args = line.replace('ticks.mjs', `"${cliFixture('ticks.mjs')}"`)
    const script = `("${process.execPath}" "${MAIN}" run --threads 1 ${args}; echo "exit code $?" >&3) | head -n 2`
    const child = spawnSync('bash', ['-c', `exec 3>&2; ${script}`], { encoding: 'utf8', timeout: 20_000 })
    t.match(child.stdout, expected)
    t.match(child.stderr, /^exit code 0$/m)
    t.notMatch(child.stderr, /EPIPE|\|E\|/)
    if (what === 'what links print')
      t.match(child.stderr, /the reader of the standard output has gone away: stopping$/m)
  })
}

t.test('its first line says by what it is run, as npm needs it', async (t) => {
  t.match(readFileSync(MAIN, 'utf8'), /^#!\/usr\/bin\/env node\n/)
})

t.test('in a terminal', { skip: noTerminal }, async (t) => {
  t.test('there is one status line, and nothing that is printed or logged is garbled', async (t) => {
    const run = commandInTerminal(t, 100, 'run --threads 1 --transfers 30 noisy.mjs', { NO_COLOR: '1' })
    t.equal(await run.ended, 0)
    t.match(run.stdout, /1 link \| \d+ transfers \| [\d.]+ records\/s \| \d+ late \| \d+ skipped \| \d\/1 threads busy/)
    const screen = screenOf(run.stdout)
    t.equal(screen.pop(), '', 'the status line is gone in the end')
    t.match(screen.pop(), /^databay: 30 transfers of 1 link in /)
    t.match(screen.splice(0, 3), [/^databay: started 1 link /, /^ {2}link +schedule/, /^ {2}noisy +every 50 ms/])
    const whole = /^(printed line \d+|\d{4}-.*\|W\| (log line \d+|noisy is .*) \(databay\.\w+\))$/
    t.same(
      screen.filter((line) => !whole.test(line)),
      [],
      'every line is whole',
    )
    const printed = screen.filter((line) => line.includes('printed line'))
    t.equal(printed.length, 30)
  })

  t.test('the status line is cut to its width', async (t) => {
    const run = commandInTerminal(t, 30, 'run --threads 1 --transfers 2 slow.mjs --log-level error', { NO_COLOR: '1' })
    t.equal(await run.ended, 0)
    const drawn = run.stdout.split('\r').filter((line) => line.includes('link | '))
    t.ok(drawn.length > 0)
    for (const line of drawn) t.equal(line.replace('\u001b[K', '').length, 29)
    t.notMatch(run.stdout, /\u001b\[\d+m/, 'no colours with NO_COLOR')
  })

  t.test('Ctrl-C drains, one a second later stops at once', async (t) => {
    const run = commandInTerminal(t, 120, 'run --threads 1 hanging.mjs')
    await run.until(() => /2 links \| 1 transfer /.test(run.stdout))
    run.type('\u0003')
    await run.until(() => run.stdout.includes('stopping'))
    await aSecond()
    run.type('\u0003')
    t.equal(await run.ended, 130)
    const screen = screenOf(run.stdout)
    t.match(screen, [
      'databay: started 2 links of 1 module in 1 thread',
      /^ {2}link +schedule +next due$/,
      /^ {2}buffered +every 1 h +now, then /,
      /^ {2}hanging +every 1 h +now, then /,
      'databay: SIGINT: waiting for 1 running transfer, then draining buffers; once more stops at once',
      'databay: SIGINT: stopped at once, 1 transfer abandoned, 1 record left in buffers',
      /^databay: 1 transfer of 2 links in /,
      '',
    ])
  })

  t.test('a Ctrl-C that is passed on once more, by npm or a shell, is one', async (t) => {
    const run = commandInTerminal(t, 120, 'run --threads 1 hanging.mjs')
    await run.until(() => /2 links \| 1 transfer /.test(run.stdout))
    run.type('\u0003\u0003')
    await run.until(() => run.stdout.includes('stopping'))
    await new Promise((resolve) => setTimeout(resolve, 300))
    run.type('\u0003')
    await aSecond()
    t.notMatch(run.stdout, 'stopped at once')
    run.type('\u0003')
    t.equal(await run.ended, 130)
  })

  t.test('a terminal that is closed lets it drain', async (t) => {
    const file = `${t.testdir({})}/out.txt`
    const run = commandInTerminal(t, 80, 'run --threads 1 buffered.mjs', { DATABAY_TEST_FILE: file, HANG_UP: '1' })
    await run.until(() => /1 link \| [5-9] transfers /.test(run.stdout))
    t.notOk(existsSync(file), 'nothing is written yet')
    run.hangUp()
    t.equal(await run.ended, 129, 'ended by SIGHUP in the end')
    t.ok(readFileSync(file, 'utf8').trimEnd().split('\n').length >= 5)
  })
})
