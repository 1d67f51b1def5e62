import { existsSync } from 'node:fs'
import t, { type Test } from 'tap'
import { command, MAIN } from '../../helpers/command.js'

/*
 * `databay plan` as a process of its own.
 */

if (!existsSync(MAIN)) t.bailout('the command is not built: run `npm run build` first')

const folder = t.testdir({
  'links.mjs': `
    import { appendFileSync } from 'node:fs'
    import { Link, NullInlet, NullOutlet } from 'databay'
    class Source extends NullInlet {
      onStart() { appendFileSync(new URL('./notes', import.meta.url), 'started ') }
      pull() { return new Promise((resolve) => setTimeout(() => resolve([1]), 30)) }
    }
    const one = (options) => new Link({ inlets: new Source(), outlets: new NullOutlet(), ...options })
    export const orders = one({ interval: 5, jitter: 2, tags: 'shop' })
    export const mail = one({ cron: '30 2 * * *', timeZone: 'Europe/Amsterdam', tags: 'night' })
    export const report = one({ cron: '0 0 1 * *', timeZone: 'Europe/Amsterdam', jitter: 60 })`,
  'broken.mjs': `import 'no-such-package'`,
})
const links = `${folder}/links.mjs`

async function plan(t: Test, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const process = command(t, `plan ${args.join(' ')}`, { TZ: 'Europe/Amsterdam', ...env })
  const code = await process.ended
  return { code, stdout: process.stdout, stderr: process.stderr }
}

const DAY = ['--from', '2026-03-29', '--hours', '24']

t.test('the night in which the clocks change', async (t) => {
  const { code, stdout, stderr } = await plan(t, [links, ...DAY, '--duration', '2s', '--duration', 'orders=7s'])
  t.equal(code, 0, stderr)
  t.equal(stderr, '')
  const lines = stdout.split('\n')
  t.equal(lines[0], '24 h from 2026-03-29 00:00:00 to 2026-03-30 01:00:00 (Europe/Amsterdam): 3 links, 17,281 runs')
  for (const expected of [
    /^mail +cron 30 2 \* \* \* \(Europe\/Amsterdam\) +1 +03:00:00 +03:00:00 +2 s +0$/,
    /^orders +every 5 s \+ up to 2 s +17,280 +at the start +2026-03-30 00:59:55 +7 s +8,640$/,
    /^report +cron .* 0 +not in it, next 2026-04-01 00:00:00/,
    /^runs per minute: a column is 20 min, the highest 12 a minute$/,
    /^\u2588+|\u2587+/,
    /^most due +2 links in one second, once at 03:00:00: mail, orders$/,
    /^clock change +2026-03-29 02:00 becomes 03:00 in Europe\/Amsterdam: the run of 02:30 comes at 03:00: mail$/,
    /^ +8,640 runs skipped, as those before still run: orders$/,
    /^threads +1, at 00:00:00: 1 for 1 run that waits/,
    /^durations +of 3 links from --duration$/,
  ]) {
    t.ok(
      lines.some((line) => expected.test(line)),
      `${expected.source}\n${stdout}`,
    )
  }
  t.notOk(existsSync(`${folder}/notes`), 'no link is started')
})

t.test('one JSON document, of some links', async (t) => {
  const { code, stdout } = await plan(t, [links, ...DAY, '--json', '--tag', 'night', '--link', 'report'])
  t.equal(code, 0)
  t.match(JSON.parse(stdout), {
    from: '2026-03-28T23:00:00.000Z',
    to: '2026-03-29T23:00:00.000Z',
    runs: 1,
    links: [
      { id: 'mail', runs: 1, first: '2026-03-29T01:00:00.000Z', jitter: 0 },
      { id: 'report', runs: 0, next: '2026-03-31T22:00:00.000Z', jitter: 60_000 },
    ],
    curve: { minutes: 1, runs: { length: 1440, 120: 1 } },
    peaks: [{ at: '2026-03-29T01:00:00.000Z', links: 1, times: 1, names: ['mail'] }],
    quiet: [{ from: '2026-03-29T01:01:00.000Z' }, { to: '2026-03-29T01:00:00.000Z' }],
    clockChanges: [{ effect: 'moved', links: ['mail'], first: '2026-03-29T02:30:00', times: 1 }],
    overlaps: undefined,
    threads: undefined,
  })
})

t.test('durations come from the ledger of the store', async (t) => {
  const store = `${t.testdir()}/store`
  const run = command(t, `run ${links} --once --store ${store}`)
  t.equal(await run.ended, 0, run.stderr)
  const { code, stdout, stderr } = await plan(t, [links, '--json'], { DATABAY_STORE: store })
  t.equal(code, 0, stderr)
  const { links: rows, threads } = JSON.parse(stdout) as {
    links: { duration: { took: number; source: string; runs: number } }[]
    threads: unknown
  }
  for (const { duration } of rows) {
    t.match(duration, { source: 'ledger', runs: 1 })
    t.ok(duration.took > 25 && duration.took < 20_000, `${duration.took} ms`)
  }
  t.match(threads, { needed: 1, computing: 0, knownDurations: 3 })
})

t.test('what is wrong is said', async (t) => {
  const refusals: readonly (readonly [args: string[], says: RegExp])[] = [
    [['--hours', '0'], /--hours: expected a number of hours above 0, up to 8760, got '0'/],
    [['--hours', '9000'], /--hours: expected a number of hours/],
    [['--hours', '-1'], /--hours/],
    [['--from', 'tomorrow'], /--from: expected a time such as 2026-03-29/],
    [['--from', '2026-13-01'], /--from: expected a time/],
    [['--duration', 'soon'], /--duration: expected a length of time such as 200ms/],
    [['--duration', '0s'], /--duration: expected a length of time/],
    [['--duration', 'ordrs=2s'], /--duration: expected .*'ordrs': did you mean orders\?/],
    [['--link', 'ordrs'], /--link: .*did you mean orders\?/],
    [['--store', `${folder}/nothing`], /--store: expected a folder with a store in it/],
  ]
  for (const [args, says] of refusals) {
    const { code, stdout, stderr } = await plan(t, [links, ...args])
    t.equal(code, 2, args.join(' '))
    t.match(stderr, says)
    t.equal(stdout, '')
  }
  const broken = await plan(t, [links, `${folder}/broken.mjs`])
  t.equal(broken.code, 1)
  t.match(broken.stderr, /no-such-package/)
  t.match(broken.stdout, /3 links/)
  const missing = await plan(t, [links, `${folder}/broken.mjs`, '--json', '--duration', 'lost=2s'])
  t.equal(missing.code, 1, 'the link may be in the module that is broken')
  t.match(missing.stderr, /no-such-package/)
  t.equal((JSON.parse(missing.stdout) as { links: unknown[] }).links.length, 3)
})
