/**
 * Combinations that cannot be kept are refused as early as they show: by the constructor of the link where it shows them alone,
 * else by `start()` and `addLinks()`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { CsvOutlet } from '../../src/connectors/csv/csv-outlet.js'
import { FileInlet } from '../../src/connectors/files/file-inlet.js'
import { FileOutlet } from '../../src/connectors/files/file-outlet.js'
import { NullOutlet } from '../../src/connectors/samples/null-outlet.js'
import { RandomIntInlet } from '../../src/connectors/samples/random-int-inlet.js'
import type { Cursor } from '../../src/core/cursor.js'
import { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import type { Update } from '../../src/core/update.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { WorkerPlanner } from '../../src/planners/worker-planner.js'
import { loadBuildOnly } from '../helpers/built-threads.js'
import { isBuilt } from '../helpers/durable-programs.js'
import { captureLogs } from '../helpers/logs.js'

class Numbers extends Inlet<number, number> {
  pull(_update: Update, cursor: Cursor<number>) {
    const from = cursor.value ?? 0
    cursor.advance(from + 1)
    return [from]
  }
}

const parts = () => ({ inlets: new Numbers(), outlets: new NullOutlet(), interval: 3600, immediateTransfer: false })

const linkOf = (options: object = {}) =>
  new Link({ ...parts(), id: 'a', delivery: 'cursor', ...options } as never) as Link

t.test('what one link shows is refused when it is made', async (t) => {
  const retry = { minDelay: 1 }
  const file = (options: object) => new FileOutlet('x', { fileMode: 'w', ...options })
  const refused: [string, object, RegExp][] = [
    ['delivery with stateless', { stateless: true }, /^stateless: expected false with delivery: 'cursor'/],
    ['delivery with several instances', { maxInstances: 2 }, /^maxInstances: expected 1 with delivery: 'cursor'/],
    ['retry without delivery', { delivery: 'memory', retry }, /^retry: expected delivery: 'cursor' with it/],
    ['dead letters without delivery', { delivery: undefined, deadLetters: {} }, /^deadLetters: expected delivery/],
    ['catchUp without cron', { catchUp: true }, /^catchUp: expected false without cron/],
    ['the level to come', { delivery: 'spool' }, /^delivery: expected 'memory' or 'cursor', as 'spool'/],
    ['a replaced file', { outlets: file({}) }, /^rounds: expected 'whole' with .+ FileOutlet\(x\), which replaces/],
    [
      'a replaced file, by name',
      { outlets: [new NullOutlet(), file({ name: 'export' })] },
      /and export, which replaces/,
    ],
    ['a replaced file, in rounds', { outlets: file({}), rounds: 10 }, /^rounds: expected 'whole' .+, got 10$/],
    ['a replaced CSV file', { outlets: new CsvOutlet('x', { fileMode: 'w' }) }, /^rounds: .+ CsvOutlet\(x\)/],
  ]
  for (const [what, options, message] of refused) {
    t.throws(() => linkOf(options), { code: 'DATABAY_INVALID_OPTION', message }, what)
  }
  const taken: [string, object][] = [
    ['stateless without delivery', { delivery: 'memory', stateless: true, maxInstances: 2 }],
    ['one instance', { maxInstances: 1, stateless: false }],
    ['retry with delivery', { retry, deadLetters: false }],
    ['a file that grows', { outlets: new FileOutlet('x') }],
    ['a file that is replaced by a whole pull', { outlets: file({}), rounds: 'whole' }],
    ['a replaced file without delivery', { outlets: file({}), delivery: 'memory' }],
  ]
  for (const [what, options] of taken) t.doesNotThrow(() => linkOf(options), what)
})

t.test('an outlet that replaces a file cannot be added to a link with rounds', async (t) => {
  const link = linkOf()
  await t.rejects(link.addOutlets(new FileOutlet('x', { fileMode: 'w' })), { message: /^rounds: expected 'whole'/ })
  t.equal(link.outlets.length, 1)
})

/** What an error has. */
interface Wrong {
  readonly code: string
  readonly message?: RegExp
}

/** Links that `start()` and `addLinks()` refuse: those that are there before, and that which is added. */
const SHARED: readonly [what: string, make: () => [Link[], Link], wrong: Wrong, needsStore: boolean][] = [
  ['no store', () => [[], linkOf()], { code: 'DATABAY_NO_STORE', message: /option store of the planner/ }, false],
  [
    'no id',
    () => [[], linkOf({ id: undefined })],
    { code: 'DATABAY_INVALID_OPTION', message: /^id: expected a name for a link with delivery/ },
    true,
  ],
  [
    'no cursor',
    () => [[], linkOf({ inlets: new RandomIntInlet() })],
    { code: 'DATABAY_NO_CURSOR', message: /^RandomIntInlet of a has no cursor: .* HttpInlet since or conditional/ },
    true,
  ],
  [
    'no cursor, by an option',
    () => [[], linkOf({ inlets: [new Numbers(), new FileInlet('x', { mode: 'file' })] })],
    { code: 'DATABAY_NO_CURSOR', message: /^FileInlet/ },
    true,
  ],
  [
    'two links with one id',
    () => [[linkOf()], linkOf()],
    { code: 'DATABAY_INVALID_OPTION', message: /^id: expected a name that no other link/ },
    true,
  ],
  [
    'an id that a link without delivery has',
    () => [[linkOf({ delivery: 'memory' })], linkOf()],
    { code: 'DATABAY_INVALID_OPTION', message: /^id: / },
    true,
  ],
  [
    'an inlet that two links share',
    () => {
      const inlets = new Numbers()
      return [[linkOf({ inlets })], linkOf({ inlets, id: 'b' })]
    },
    { code: 'DATABAY_INVALID_NODE', message: /^Numbers is in \w and in \w: .+ has its inlets for itself$/ },
    true,
  ],
  [
    'an inlet of a link with delivery in one without',
    () => {
      const inlets = new Numbers()
      return [[linkOf({ inlets })], linkOf({ inlets, id: 'b', delivery: 'memory' })]
    },
    { code: 'DATABAY_INVALID_NODE', message: /^Numbers is in a and in b/ },
    true,
  ],
  [
    'an inlet of a link without delivery in one with it',
    () => {
      const inlets = new Numbers()
      return [[linkOf({ inlets, delivery: 'memory' })], linkOf({ inlets, id: 'b' })]
    },
    { code: 'DATABAY_INVALID_NODE', message: /^Numbers is in / },
    true,
  ],
]

for (const [what, make, wrong, needsStore] of SHARED) {
  t.test(`live links: ${what}`, async (t) => {
    captureLogs(t, 'silent')
    for (const Planner of what === 'no store' ? [SchedulePlanner, WorkerPlanner] : [SchedulePlanner]) {
      const options = (name: string) => ({
        ...(Planner === WorkerPlanner ? { threads: 1 } : {}),
        ...(needsStore ? { store: join(t.testdirName, `${Planner.name}-${name}`) } : {}),
      })
      t.testdir()
      const [before, added] = make()
      const starting = new Planner([...before, added], options('start'))
      await t.rejects(starting.start(), wrong, `${Planner.name}.start()`)
      t.notOk(starting.running)
      const [there, late] = make()
      const adding = new Planner(there, options('add'))
      await adding.start()
      await t.rejects(adding.addLinks(late), wrong, `${Planner.name}.addLinks()`)
      t.ok(adding.running, 'the others run on')
      t.equal(adding.links.length, there.length)
      await adding.shutdown()
    }
  })
}

const built = pathToFileURL(resolve(import.meta.dirname, '../../dist/src/index.js')).href

/** Writes a link module. */
function moduleOf(file: string, code: string): URL {
  writeFileSync(
    file,
    `import { Inlet, Link, NullOutlet, FileOutlet, RandomIntInlet } from '${built}'
    class Numbers extends Inlet { pull(update, cursor) { cursor.advance(1); return [1] } }
    const linkOf = (options) => new Link({
      inlets: new Numbers(), outlets: new NullOutlet(), interval: 3600, immediateTransfer: false, delivery: 'cursor', ...options,
    })
    const inlets = new Numbers()
    ${code}`,
  )
  return pathToFileURL(file)
}

const HOSTED: readonly [what: string, code: string, wrong: Wrong, needsStore?: false][] = [
  ['no store', 'export const a = linkOf({})', { code: 'DATABAY_NO_STORE' }, false],
  ['no cursor', 'export const a = linkOf({ inlets: new RandomIntInlet() })', { code: 'DATABAY_NO_CURSOR' }],
  [
    'two links with one id',
    `export const links = [linkOf({ id: 'a' }), linkOf({ id: 'a' })]`,
    { code: 'DATABAY_INVALID_OPTION', message: /^id: expected a name that no other link/ },
  ],
  [
    'an inlet that two links share',
    'export const links = [linkOf({ inlets }), linkOf({ inlets })]',
    { code: 'DATABAY_INVALID_NODE', message: /is in links\[0\] and in links\[1\]/ },
  ],
  [
    'an inlet of a link with delivery in one without',
    `export const links = [linkOf({ inlets, delivery: 'memory' }), linkOf({ inlets })]`,
    { code: 'DATABAY_INVALID_NODE', message: /links\[0\]/ },
  ],
  [
    'an inlet of a link without delivery in one with it',
    `export const links = [linkOf({ inlets }), linkOf({ inlets, delivery: 'memory' })]`,
    { code: 'DATABAY_INVALID_NODE', message: /links\[0\]/ },
  ],
  ['a link that cannot be made', 'export const a = linkOf({ stateless: true })', { code: 'DATABAY_LINK_MODULE' }],
  [
    'a replaced file',
    `export const a = linkOf({ outlets: new FileOutlet('x', { fileMode: 'w' }) })`,
    { code: 'DATABAY_LINK_MODULE', message: /rounds: expected 'whole'/ },
  ],
]

t.test('links in threads', { skip: !isBuilt }, async (t) => {
  loadBuildOnly()
  const { setLogLevel, WorkerPlanner } = (await import(built)) as typeof import('../../dist/src/index.js')
  setLogLevel('silent')
  const folder = t.testdir()
  const bare = new WorkerPlanner([], { threads: 1 })
  const adding = new WorkerPlanner([], { threads: 1, store: join(folder, 'added') })
  await Promise.all([bare.start(), adding.start()])
  for (const [at, [what, code, wrong, needsStore]] of HOSTED.entries()) {
    const module = moduleOf(join(folder, `links${at}.mjs`), code)
    const store = needsStore === false ? {} : { store: join(folder, `store${at}`) }
    await t.rejects(new WorkerPlanner(module, { threads: 1, ...store }).start(), wrong, `start(): ${what}`)
    const planner = needsStore === false ? bare : adding
    await t.rejects(planner.addLinks(module), wrong, `addLinks(): ${what}`)
    t.ok(planner.running && planner.links.length === 0, 'the planner goes on without them')
  }
  await Promise.all([bare.shutdown(), adding.shutdown()])
})

t.test('a live link with delivery says once that the main thread writes what it has delivered', async (t) => {
  const logs = captureLogs(t, 'info')
  const planner = new SchedulePlanner([linkOf(), linkOf({ id: 'b' })], { store: join(t.testdir(), 'store') })
  await planner.start()
  await planner.addLinks(linkOf({ id: 'c' }))
  await planner.shutdown()
  const said = logs.messages().filter((message) => /live link with delivery/.test(message))
  t.equal(said.length, 1)
  t.match(said[0], /written by the main thread/)
})

const PROCESS_ONE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
const canUnshare = spawnSync('unshare', [...PROCESS_ONE.slice(1), 'true']).status === 0
/** Starts a planner with a durable link in a process of its own. */
function startProcess(t: Test, folder: string, wrap: readonly string[]) {
  const code = `
    import { Inlet, Link, NullOutlet, SchedulePlanner } from '${built}'
    class Numbers extends Inlet { pull(update, cursor) { cursor.advance(1); return [1] } }
    const link = new Link({ id: 'a', inlets: new Numbers(), outlets: new NullOutlet(), interval: 3600, delivery: 'cursor' })
    const planner = new SchedulePlanner(link, { store: '${folder}/store' })
    await planner.start().then(() => console.log('started', process.pid), (error) => console.log(error.code))
    setInterval(() => {}, planner.running ? 1000 : 1).unref()
    if (planner.running) setTimeout(() => {}, 60_000)`
  const [file, ...args] = [...wrap, process.execPath, '--input-type=module', '-e', code]
  const { NODE_OPTIONS: _options, ...env } = process.env
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => child.kill('SIGKILL'))
  return { child, said: once(child.stdout, 'data').then(([data]) => String(data).trim()) }
}

for (const [where, wrap, skip] of [
  ['two processes', [], false],
  ['two processes that both are number 1', PROCESS_ONE, canUnshare ? false : 'unshare is not allowed'],
] as const) {
  t.test(`${where} cannot have one store`, { skip: skip === false ? !isBuilt : skip }, async (t) => {
    const folder = t.testdir()
    const first = startProcess(t, folder, wrap)
    const pid = wrap.length > 0 ? '1' : String(first.child.pid)
    t.equal(await first.said, `started ${pid}`)
    t.equal(await startProcess(t, folder, wrap).said, 'DATABAY_STORE_OWNED')
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    t.match(await startProcess(t, folder, wrap).said, /^started/, 'the next one has it at once')
  })
}
