import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { command, MAIN, MEASURED } from '../../helpers/command.js'

/*
 * `databay list` and `databay check` as processes of their own.
 */

if (!existsSync(MAIN)) t.bailout('the command is not built: run `npm run build` first')

const LINKS = `
  import { appendFileSync } from 'node:fs'
  import { Buffer, Link, NullInlet, NullOutlet } from 'databay'
  const note = (word) => appendFileSync(new URL('./notes', import.meta.url), word + ' ')
  console.log('top level')
  class Source extends NullInlet {
    onStart() { note('started') }
    pull() { note('pulled'); return [1] }
    onShutdown() { note('stopped') }
  }
  export const orders = new Link({
    inlets: new Source(), processors: new Buffer({ countThreshold: 9 }), outlets: [new NullOutlet(), new NullOutlet()],
    interval: { minutes: 10 }, alignToClock: true, jitter: 1.5, tags: ['shop', 'daily'], lane: 'io',
  })
  export const mail = new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), cron: '30 2 * * *', timeZone: 'UTC' })`

const folder = t.testdir({
  'links.mjs': LINKS,
  'again.mjs': `
    import { Link, NullInlet, NullOutlet } from 'databay'
    export const mail = new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 5 })`,
  'closed.mjs': `
    import { Link, NullInlet, NullOutlet } from 'databay'
    class Closed extends NullOutlet { onStart() { throw new Error('no such server', { cause: new Error('ENOTFOUND') }) } }
    export const closed = new Link({ inlets: new NullInlet(), outlets: new Closed(), interval: 5 })`,
  'broken.mjs': `
    import { Link } from 'databay'
    export const broken = new Link({ intervall: 5 })`,
})

t.test('list shows schedule, next due time, nodes and lane of each link, and starts none', async (t) => {
  const list = command(t, `list ${folder}/links.mjs`, MEASURED)
  t.equal(await list.ended, 0)
  t.match(list.stdout.split('\n'), [
    /^link +tags +schedule +next due +lane +nodes$/,
    /^mail +cron 30 2 \* \* \* \(UTC\) +[\d-]* ?\d\d:\d\d:\d\d +auto +NullInlet > NullOutlet$/,
    /^orders +shop, daily +every 10 min by the clock \+ up to 1.5 s +[\d-]* ?\d\d:\d\d:\d\d +io +Source > Buffer > NullOutlet, NullOutlet$/,
    '',
  ])
  t.equal(list.stderr, 'top level\n', 'what a module prints does not mix in')
  t.notOk(existsSync(`${folder}/notes`))
})

t.test('list --json is one document of the chosen links', async (t) => {
  const list = command(t, `list --json --tag daily ${folder}/links.mjs`)
  t.equal(await list.ended, 0)
  const [orders, ...others] = JSON.parse(list.stdout) as { readonly nextDue: string }[]
  t.same(others, [])
  t.match(orders, { id: 'orders', tags: ['shop', 'daily'], lane: 'io', inlets: ['Source'], processors: ['Buffer'] })
  t.equal(Date.parse(orders?.nextDue ?? '') % 600_000, 0)
})

t.test('check finds nothing wrong, and starts nothing', async (t) => {
  const check = command(t, `check ${folder}/links.mjs`, MEASURED)
  t.equal(await check.ended, 0)
  t.match(check.stdout, /\n2 links of 1 module: all can be loaded; --connect starts them too\n$/)
  t.notOk(existsSync(`${folder}/notes`))
})

t.test('check tells of every module that cannot be used, and of links that share an id', async (t) => {
  const check = command(t, `check --quiet ${folder}/broken.mjs ${folder}/links.mjs ${folder}/again.mjs`)
  t.equal(await check.ended, 1)
  t.equal(check.stdout, '')
  t.match(check.stderr, /^databay: .*broken\.mjs: .*intervall.*did you mean interval\?/m)
  t.match(check.stderr, /^databay: several links have the id mail: give each an id of its own$/m)
})

t.test('check --connect starts and stops all, transfers nothing, and tells which do not start', async (t) => {
  const check = command(t, `check --connect --json ${folder}/links.mjs ${folder}/closed.mjs`)
  t.equal(await check.ended, 1)
  t.match(JSON.parse(check.stdout), { links: { length: 3 }, errors: [/^closed: .*no such server: ENOTFOUND$/] })
  t.equal(readFileSync(`${folder}/notes`, 'utf8'), 'started stopped ')
})

t.test('check --connect starts links with delivery in a store of its own, which is gone afterwards', async (t) => {
  const own = t.testdir({
    'a.txt': 'a line\n',
    'links.mjs': `
      import { FileInlet, Link, NullOutlet, RandomIntInlet } from 'databay'
      const ends = (inlets) => ({ inlets, outlets: new NullOutlet(), interval: 9, delivery: 'cursor' })
      export const lines = new Link(ends(new FileInlet(import.meta.dirname + '/a.txt')))
      export const numbers = new Link(ends(new RandomIntInlet()))`,
  })
  const check = command(t, `check --connect --json ${own}/links.mjs`, { TMPDIR: own })
  t.equal(await check.ended, 1)
  t.match(JSON.parse(check.stdout), { links: { length: 2 }, errors: { length: 1, 0: /^numbers: .*has no cursor/ } })
  t.strictSame(readdirSync(own).sort(), ['a.txt', 'links.mjs'])
})

t.test('an id that no link has is a bad argument', async (t) => {
  const list = command(t, `list ${folder}/links.mjs --link ordes`)
  t.equal(await list.ended, 2)
  t.match(list.stderr, /^databay: --link: .* got 'ordes': did you mean orders\?$/m)
})
