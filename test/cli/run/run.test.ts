import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { cliFixture, command, eventsOf, MAIN, MEASURED } from '../../helpers/command.js'

/*
 * Runs of the command as processes of their own. Their ends are in main.test.ts.
 */

if (!existsSync(MAIN)) t.bailout('the command is not built: run `npm run build` first')

t.test('each link makes as many transfers as it is told', async (t) => {
  const run = command(t, 'run --threads 1 --transfers 3 slow.mjs --log-level error')
  t.equal(await run.ended, 0)
  t.match(
    run.stderr,
    /^databay: started 1 link of 1 module in 1 thread\n {2}link .*\n {2}slow .*\ndatabay: 3 transfers of 1 link in \d+\.\d s: 3 records pulled, 3 pushed, 0 dropped; 0 failed, .*\n$/,
  )
})

t.test('several modules run together', async (t) => {
  const run = command(t, 'run --threads 2 --once rare.mjs slow.mjs')
  t.equal(await run.ended, 0)
  t.match(run.stderr, 'databay: started 3 links of 2 modules in 2 threads\n')
  t.match(run.stderr, /3 transfers of 3 links/)
})

t.test('--once does not wait for links that are not due for long', async (t) => {
  const run = command(t, 'run --threads 1 --once rare.mjs')
  t.equal(await run.ended, 0)
  t.match(run.stderr, /2 transfers of 2 links .* 2 records pulled, 2 pushed/)
})

t.test('--stop-on-error stops at an exception, with one line that tells all', async (t) => {
  const run = command(t, 'run --threads 1 --stop-on-error failing.mjs --log-level silent')
  t.equal(await run.ended, 1)
  t.match(
    run.stderr,
    'databay: transfer failing.0 failed: FailingInlet failed to pull: the source is gone: connection refused\n',
  )
  t.notMatch(run.stderr, /\n {4}at /)
})

t.test('stacks are shown at the level debug', async (t) => {
  const run = command(t, 'run --threads 1 --stop-on-error failing.mjs --log-level debug')
  t.equal(await run.ended, 1)
  t.match(run.stderr, /databay: TransferError: .*\n {4}at [\s\S]*caused by: Error: connection refused\n {4}at /)
  t.match(run.stderr, /\|D\| failing\.0 transfer \(databay\.Link\)/)
})

t.test('a link that is blocked at the end of a number of transfers: the exit code is 1, and it says why', async (t) => {
  const run = command(t, `run --threads 1 --transfers 1 blocked.mjs --store ${t.testdir()}`)
  t.equal(await run.ended, 1)
  t.match(
    run.stderr,
    /\|W\| orders is blocked, and tried again until it is not: Down failed to push: it is down; 3 records/,
  )
  t.match(run.stderr, '\ndatabay: orders is blocked: Down failed to push: it is down; 3 records waiting: the next run')
  t.match(
    run.stderr,
    /1 transfer of 1 link .*: 3 records pulled, 0 pushed, .* skipped, 1 blocked, 3 records waiting\n$/,
  )
})

t.test('--json tells that a link is blocked once, and at the end', async (t) => {
  const run = command(t, `run --threads 1 --json blocked.mjs --store ${t.testdir()}`)
  const transfers = () => run.stdout.split('"event":"transfer"').length - 1
  while (transfers() < 3) await new Promise((go) => setTimeout(go, 20))
  run.kill('SIGINT')
  t.equal(await run.ended, 0)
  t.match(
    eventsOf(run).filter(({ event }) => event === 'blocked'),
    [{ link: 'orders', node: 'Down', stage: 'push', code: 'ECONNREFUSED', attempts: 1, waiting: 3 }],
  )
  t.match(eventsOf(run).at(-1), {
    event: 'finished',
    code: 0,
    blocked: [{ link: 'orders', waiting: 3 }],
    counts: { lost: 0 },
  })
})

t.test('a failed transfer does not end it; of a number of transfers, its exit code is 1', async (t) => {
  const run = command(t, 'run --threads 1 --transfers 4 failing.mjs')
  t.equal(await run.ended, 1)
  t.match(run.stderr, /4 transfers of 1 link .* 4 records pulled, 4 pushed, 0 dropped; 2 failed/)
  t.match(run.stderr, /\|E\| failing\.0 FailingInlet failed to pull: the source is gone: connection refused/)
  t.match(run.stderr, /\|W\| failing had 2 errors in .*, when it was shut down/)
})

t.test('a service goes on after failed transfers, and ends with 0 when it is told to', async (t) => {
  const run = command(t, 'run --threads 1 --json failing.mjs')
  await run.until(() => run.stdout.split('"failed":true').length > 3)
  run.kill('SIGTERM')
  t.equal(await run.ended, 0)
  t.match(eventsOf(run).at(-1), { event: 'finished', code: 0 })
})

t.test('--once has exit code 1 when its transfer has failed, unless its link ignores that', async (t) => {
  const run = command(t, 'run --threads 1 --once failing.mjs')
  t.equal(await run.ended, 1)
  t.match(run.stderr, /1 transfer of 1 link .* 1 failed/)
  const ignored = command(t, 'run --threads 1 --once troubled.mjs', { DATABAY_TEST_TROUBLE: 'ignores' })
  t.equal(await ignored.ended, 0)
})

t.test('--ignore-exceptions has no effect, and says so', async (t) => {
  const run = command(t, 'run --threads 1 --once --ignore-exceptions failing.mjs')
  t.equal(await run.ended, 1)
  t.match(run.stderr, /^databay: --ignore-exceptions has no effect: .*--stop-on-error$/m)
})

t.test('a link that fails to shut down has exit code 1', async (t) => {
  const links = `import { Link, NullInlet, NullOutlet } from 'databay'
    class Stuck extends NullOutlet { onShutdown() { throw new Error('cannot flush') } }
    export const stuck = new Link({ inlets: new NullInlet(), outlets: new Stuck(), interval: 3600 })`
  const run = command(t, `run --threads 1 --once ${t.testdir({ 'links.mjs': links })}/links.mjs`)
  t.equal(await run.ended, 1)
  t.match(run.stderr, /^databay: .*cannot flush/m)
})

t.test('a table of links comes before what their first transfers print', async (t) => {
  const both = command(t, 'run --threads 1 --transfers 1 ticks.mjs troubled.mjs', { DATABAY_TEST_TROUBLE: 'empty' })
  t.equal(await both.ended, 0)
  const joined = spawnSync(
    'sh',
    ['-c', `"${process.execPath}" "${MAIN}" run --once "${cliFixture('ticks.mjs')}" 2>&1`],
    {
      encoding: 'utf8',
    },
  )
  t.match(joined.stdout, /^databay: started 1 link .*\n {2}link .*\n {2}ticks .*\ntick 0\n/)
  t.match(both.stderr.split('\n').slice(0, 4), [
    'databay: started 2 links of 2 modules in 1 thread',
    /^ {2}link +schedule +next due$/,
    /^ {2}ticks +every 100 ms +now, then ([\d-]+ )?\d\d:\d\d:\d\d$/,
    /^ {2}troubled +every 1000 s +now, then ([\d-]+ )?\d\d:\d\d:\d\d$/,
  ])
})

t.test('a link that could not be started is in the table with its error', async (t) => {
  const links = `import { Link, NullInlet, NullOutlet } from 'databay'
    class Closed extends NullOutlet { onStart() { throw new Error('the door is closed') } }
    export const shut = new Link({ inlets: new NullInlet(), outlets: new Closed(), interval: 3600, onStartFailure: 'retry' })`
  const file = `${t.testdir({ 'links.mjs': links })}/links.mjs`
  const once = command(t, `run --threads 1 --once slow.mjs ${file}`)
  t.equal(await once.ended, 1, 'with --once it is not waited for')
  t.match(once.stderr, /^databay: shut could not be started, and with --once is not tried again$/m)
  t.match(once.stderr, /^databay: 1 transfer of 2 links /m)
  const run = command(t, `run --threads 1 ${file}`)
  await run.until(() => run.stderr.includes('next due'))
  run.kill('SIGTERM')
  t.equal(await run.ended, 0)
  t.match(run.stderr, /^ {2}shut +every 1 h +not started, tried again: .*the door is closed$/m)
})

t.test('--link and --tag run some links, --quiet says nothing when all is well', async (t) => {
  const one = command(t, 'run --threads 1 --once --quiet --json rare.mjs --link rare[1]')
  t.equal(await one.ended, 0)
  t.match(eventsOf(one)[0], { event: 'started', links: ['rare[1]'] })
  const tagged = command(t, 'run --threads 1 --once --quiet rare.mjs slow.mjs --tag a --tag b')
  t.equal(await tagged.ended, 0)
  t.equal(tagged.stderr, '')
})

t.test('a link that does not exist is a bad argument, and a similar one is named', async (t) => {
  const run = command(t, 'run --threads 1 --once slow.mjs --link slw')
  t.equal(await run.ended, 2)
  t.match(
    run.stderr,
    /^databay: --link: expected the id of a link \(there are slow\), got 'slw': did you mean slow\?\n/,
  )
})

t.test('with --watch, links that were not chosen do not come in by a reload', async (t) => {
  const version = (seconds: number) => `import { Link, NullInlet, NullOutlet } from 'databay'
    const link = () => new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: ${seconds} })
    export const one = link()
    export const other = link()`
  const file = path.join(t.testdir({ 'links.mjs': version(3600) }), 'links.mjs')
  const run = command(t, `run --threads 1 --watch --json --link one ${file}`)
  await run.until(() => run.stdout.includes('"transfer"'))
  writeFileSync(file, version(3601))
  await run.until(() => run.stdout.includes('"reloaded"'))
  run.kill('SIGTERM')
  t.equal(await run.ended, 0)
  t.match(
    eventsOf(run).find(({ event }) => event === 'reloaded'),
    { links: ['one'] },
  )
})

t.test('with --json, what links print goes to standard error, whichever way they print', async (t) => {
  const links = `import { Inlet, Link, PrintOutlet } from 'databay'
    console.log('loaded')
    class Loud extends Inlet { pull() { console.log('pulled'); process.stdout.write('raw\\n'); return 'record' } }
    export const loud = new Link({ inlets: new Loud(), outlets: new PrintOutlet({ onlyPayload: true }), interval: 1 })`
  const run = command(t, `run --threads 1 --once --json ${t.testdir({ 'links.mjs': links })}/links.mjs`)
  t.equal(await run.ended, 0)
  t.equal(eventsOf(run).at(-1)?.event, 'finished', 'standard output is JSON, line by line')
  for (const text of ['loaded', 'pulled', 'raw', 'record']) t.match(run.stderr, new RegExp(`${text}$`, 'm'))
})

t.test('a module that does not load is told in one line, a syntax error with its source', async (t) => {
  const folder = t.testdir({
    'broken.mjs': 'export const = 1',
    'empty.mjs': '',
    'throwing.mjs': 'throw new Error("no")',
  })
  for (const [file, expected] of [
    [
      'broken.mjs',
      /^databay: file:.*broken\.mjs: does not parse: .*broken\.mjs:1:14\)\n {4}export const = 1\n {17}\^\n$/,
    ],
    ['empty.mjs', /^databay: file:.*empty\.mjs: exports no link.*\n$/],
    ['throwing.mjs', /^databay: file:.*throwing\.mjs: failed to load: no \(file:.*throwing\.mjs:1:7\)\n$/],
  ] as const) {
    const run = command(t, `run --threads 1 ${folder}/${file}`)
    t.equal(await run.ended, 1, file)
    t.match(run.stderr, expected)
  }
})

t.test('a CommonJS module runs', async (t) => {
  const folder = t.testdir({
    'links.cjs': `const { Link, NullInlet, NullOutlet } = require('databay')
exports.link = new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 1, tags: 'common' })`,
  })
  const run = command(t, `run --threads 1 --once ${folder}/links.cjs`)
  t.equal(await run.ended, 0, run.stderr)
})

t.test('a signal while the first transfers run lets them end', async (t) => {
  const file = `${t.testdir({})}/out.txt`
  const run = command(t, 'run --threads 1 buffered.mjs failing-late.mjs', {
    DATABAY_TEST_FILE: file,
    ...MEASURED,
  })
  await run.until(() => run.stdout.includes('pulls'))
  run.kill('SIGINT')
  t.equal(await run.ended, 0)
  t.match(run.stderr, 'databay: SIGINT: ')
  t.match(readFileSync(file, 'utf8'), /^record 0\n/, 'what is buffered is drained')
})

t.test('with --stop-on-error, an exception after a signal is told, and has its exit code', async (t) => {
  const run = command(t, 'run --threads 1 --stop-on-error failing-late.mjs', MEASURED)
  await run.until(() => run.stdout.includes('pulls'))
  run.kill('SIGTERM')
  t.equal(await run.ended, 1)
  t.match(
    run.stderr,
    'databay: transfer failing_late.0 of failingLate failed: FailingLateInlet failed to pull: the source is gone\n',
  )
})

t.test('--json tells all as events on standard output, and logs as JSON', async (t) => {
  const run = command(t, 'run --threads 1 --json --transfers 2 slow.mjs')
  t.equal(await run.ended, 0)
  const all = eventsOf(run)
  t.equal(all[0]?.event, 'started')
  t.equal(all.at(-1)?.event, 'finished')
  t.match(all[0], { threads: 1, modules: [/slow\.mjs$/], links: ['slow'] })
  t.match(
    all.filter(({ event }) => event === 'transfer'),
    [{ report: { update: 'slow.0', pulled: 1 } }, { report: { update: 'slow.1', pulled: 1 } }],
  )
  t.ok(all.some(({ event }) => event === 'skipped'))
  t.match(all.at(-1), { code: 0, links: 1, counts: { transfers: 2 }, totals: { pulled: 2 }, elapsed: Number })
  const logged = run.stderr.trimEnd().split('\n')
  for (const line of logged) t.match(JSON.parse(line), { level: 40, name: 'databay.BasePlanner' })
})

t.test('--json tells of a lost thread', async (t) => {
  const run = command(t, 'run --threads 1 --json --transfers 2 crashing.mjs', MEASURED)
  t.equal(await run.ended, 1)
  t.match(
    eventsOf(run).find(({ event }) => event === 'threadLost'),
    { thread: 1, links: ['crashing'], transfers: 1, error: { message: String } },
  )
})

t.test('--json tells of a signal', async (t) => {
  const run = command(t, 'run --threads 1 --json rare.mjs')
  await run.until(() => run.stdout.includes('started'))
  run.kill('SIGINT')
  t.equal(await run.ended, 0)
  t.match(
    eventsOf(run).find(({ event }) => event === 'stopping'),
    { signal: 'SIGINT' },
  )
})

t.test('--json tells of what stopped it', async (t) => {
  const run = command(t, 'run --threads 1 --stop-on-error --json failing.mjs')
  t.equal(await run.ended, 1)
  t.match(eventsOf(run).at(-1), { event: 'finished', code: 1, error: { name: 'TransferError' } })
  t.match(run.stderr, /^databay: transfer failing\.0 failed: /m)
})

t.test('--watch loads a module anew when it changes, and keeps the old one when it cannot', async (t) => {
  const version = (text: string) => `
    import { Inlet, Link, NullOutlet } from 'databay'
    class One extends Inlet { pull() { return 1 } }
    export const ${text} = new Link({ inlets: new One(), outlets: new NullOutlet(), interval: 0.1, tags: '${text}' })`
  const folder = t.testdir({ 'links.mjs': version('old') })
  const run = command(t, `run --threads 1 --watch --json ${folder}/links.mjs`, MEASURED)
  const transfersOf = (link: string) => run.stdout.split(`"link":"${link}"`).length - 1
  await run.until(() => transfersOf('old') > 1)
  writeFileSync(path.join(folder, 'links.mjs'), 'export const =')
  await run.until(() => run.stdout.includes('reloadFailed'))
  await run.until(() => /links\.mjs: .*; the old version runs on\n/.test(run.stderr))
  const before = transfersOf('old')
  await run.until(() => transfersOf('old') > before + 1)
  writeFileSync(path.join(folder, 'links.mjs'), version('fresh'))
  await run.until(() => transfersOf('fresh') > 1)
  run.kill('SIGTERM')
  t.equal(await run.ended, 0)
  t.match(
    eventsOf(run).find(({ event }) => event === 'reloaded'),
    { module: pathToFileURL(path.join(folder, 'links.mjs')).href, links: ['fresh'] },
  )
})
