/** The rows of the crash matrix in which the store, the clock or an outlet fails, each caused as its row names it. */
import { execFileSync } from 'node:child_process'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { checkStore } from '../../src/store/check.js'
import { can, isBuilt, MortalProgram } from '../helpers/durable-programs.js'
import { tinyDisk } from '../helpers/tiny-disk.js'

const skip = !isBuilt && 'the package is not built'

/** A source that goes on at its cursor, and an outlet that adds lines to a file. */
const PARTS = `
class Numbers extends databay.Inlet {
  pull(update, cursor) {
    const from = cursor.value?.from ?? 0
    lines('pulled.txt', [from])
    cursor.advance({ from: from + 3, text: 'x'.repeat(60_000) })
    return [from, from + 1, from + 2]
  }
}
class Journal extends databay.Outlet {
  constructor(name) {
    super()
    this.name = name
  }
  push(records) {
    lines(this.name + '.txt', records.map(({ payload }) => payload))
  }
}
class Given extends databay.Inlet {
  pull = ({ transferNumber }) => [transferNumber]
}
export const memory = new databay.Link({ interval: 0.01, inlets: new Given(), outlets: new Journal('memory') })
`
const CURSOR = `
export const cursor = new databay.Link({
  interval: 0.01, delivery: 'cursor', inlets: new Numbers(), outlets: new Journal('cursor'),
})
`

const upTo = (end: number) => Array.from({ length: end }, (_, at) => at)

async function until(what: () => boolean, limit = 20_000): Promise<boolean> {
  const end = Date.now() + limit
  while (!what() && Date.now() < end) await wait(10)
  return what()
}

t.test(
  'the disk of the store is full: the commit waits, nothing is pulled, other links go on, and so does it when there is room',
  { skip },
  async (t) => {
    const disk = tinyDisk(t, 12 * 1024)
    if (disk === undefined) {
      t.pass('no file system can be mounted here')
      return
    }
    const program = new MortalProgram(
      t.testdir(),
      PARTS + CURSOR,
      `process.on('SIGTERM', () => planner.shutdown())
      for (const event of ['blocked', 'unblocked']) planner.on(event, ({ link, message }) => say({ event, link, message }))`,
    )
    const { child, ended } = program.start({ STORE: `${disk}/store`, TRANSFERS: '1000000' })
    t.teardown(() => child.kill('SIGKILL'))
    const count = (file: string) => program.numbers(file).length
    t.ok(await until(() => count('pulled.txt') > 5))
    // all that is left: what SQLite has made already it can use
    const ballast = `${disk}/ballast`
    can('dd', 'if=/dev/zero', `of=${ballast}`, 'bs=4096')
    t.ok(statSync(ballast).size > 1_000_000)
    let pulled = -1
    // for as long as the other link makes 20 transfers, which are due as often
    const isStill = async () => {
      const [before, others] = [count('pulled.txt'), count('memory.txt')]
      t.ok(await until(() => count('memory.txt') >= others + 20), 'the other link goes on')
      return (pulled = count('pulled.txt')) === before
    }
    let still = false
    for (const end = Date.now() + 20_000; !still && Date.now() < end;) still = await isStill()
    t.ok(still, 'nothing is pulled')
    t.ok(await isStill(), 'nor later')
    t.equal(child.exitCode, null)
    rmSync(ballast)
    t.ok(await until(() => count('pulled.txt') > pulled + 5), 'it goes on by itself')
    child.kill('SIGTERM')
    const end = await ended
    t.equal(end.code, 0, end.log)
    const delivered = program.numbers('cursor.txt')
    t.same(delivered, upTo(delivered.length), 'each record once, in order')
    t.match(
      end.said.filter(({ link }) => link === 'cursor'),
      [{ event: 'blocked', message: /full/ }, { event: 'unblocked' }],
    )
    t.match(end.log, /links with delivery wait until their store can be written: .*full/)
    t.match(end.log, /store\.db can be written again/)
    t.same((await checkStore(`${disk}/store`)).problems, [])
  },
)

const strace = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=pwrite64,fdatasync,fsync']
const noStrace = can('strace', ...strace, '-e', 'inject=fsync:error=EIO:when=999', 'true')
  ? false
  : 'there is no strace here, or it may not trace'

for (const [what, inject] of [
  ['syncs fail', 'fdatasync,fsync:error=EIO:when=15..18'],
  ['writes fail', 'pwrite64:error=ENOSPC:when=90..92'],
] as const) {
  t.test(`${what} in a commit: it is made again, and each record comes once`, { skip: skip || noStrace }, async (t) => {
    const program = new MortalProgram(t.testdir(), PARTS + CURSOR)
    t.equal((await program.run({ TRANSFERS: '1' })).code, 0)
    // writes and syncs are counted thread by thread: so many come only to the thread with the link
    const { code, log } = await program.run({ TRANSFERS: '20' }, ['strace', ...strace, '-e', `inject=${inject}`])
    t.equal(code, 0, log)
    const delivered = program.numbers('cursor.txt')
    t.ok(delivered.length >= 60)
    t.same(delivered, upTo(delivered.length))
    t.same(
      program.numbers('pulled.txt'),
      upTo(delivered.length / 3).map((at) => 3 * at),
      'and is pulled once',
    )
    t.same(program.numbers('memory.txt'), [0, ...upTo(20)], 'the other link is unharmed')
    t.match(log, /links with delivery wait until their store can be written: .*(disk I\/O error|full)/)
    t.match(log, /store\.db can be written again, after .*: \d+ tries had failed/)
    t.same((await checkStore(join(program.folder, '.databay'))).problems, [])
  })
}

t.test('the store is damaged: links without delivery run, those with it do not start', { skip }, async (t) => {
  const program = new MortalProgram(
    t.testdir(),
    PARTS + CURSOR.replace('interval', "onStartFailure: process.env.FAILURE ?? 'stop', interval"),
    `process.on('uncaughtException', ({ code, message }) => { say({ code, message }); process.exit(1) })
    let left = 7
    planner.on('transfer', ({ link }) => { if (link === 'memory' && --left === 0) planner.shutdown() })
    planner.once('startFailed', ({ link, error }) => say({ link, code: error.code }))`,
  )
  t.equal((await program.run()).code, 0)
  const file = join(program.folder, '.databay/store.db')
  for (const [what, damage] of [
    ['it is no database', () => writeFileSync(file, Buffer.alloc(20_000, 'no database'))],
    ['it is empty', () => writeFileSync(file, '')],
  ] as const) {
    rmSync(`${file}-wal`, { force: true })
    damage()
    const { said, log, code } = await program.run()
    t.match(
      { code, said },
      { code: 1, said: [{ code: 'DATABAY_STORE_CORRUPT', message: /databay store salvage/ }] },
      log,
    )
    const before = program.numbers('memory.txt').length
    const tolerant = await program.run({ FAILURE: 'retry', TRANSFERS: '1000' })
    t.equal(tolerant.code, 0, tolerant.log)
    t.match(tolerant.said, [{ link: 'cursor', code: 'DATABAY_STORE_CORRUPT' }], what)
    t.match(tolerant.log, /links with delivery do not start: .*databay store salvage/)
    t.ok(program.numbers('memory.txt').length > before + 5, 'the other link runs')
    t.same(program.numbers('cursor.txt'), upTo(6))
  }
})

t.test('the clock is set, by an hour, while a link is blocked: it is tried again all the same', { skip }, async (t) => {
  const program = new MortalProgram(
    t.testdir(),
    `
    const { now } = Date
    class Numbers extends databay.Inlet {
      pull(update, cursor) {
        const from = cursor.value ?? 0
        cursor.advance(from + 1)
        return [from]
      }
    }
    let tries = 0
    class Journal extends databay.Outlet {
      push([{ payload }]) {
        tries++
        if (tries === 3) Date.now = () => now() + 3_600_000
        if (tries === 6) Date.now = () => now() - 3_600_000
        if (tries % 3 !== 0) throw new Error('not now')
        lines('cursor.txt', [payload])
      }
    }
    export const cursor = new databay.Link({
      delivery: 'cursor', interval: 0.05, inlets: new Numbers(), outlets: new Journal(), retry: { minDelay: 0.02, maxDelay: 0.1 },
      deadLetters: false,
    })`,
  )
  const started = Date.now()
  const { code, log } = await program.run({ TRANSFERS: '12' })
  t.equal(code, 0, log)
  const delivered = program.numbers('cursor.txt')
  t.same(delivered, upTo(delivered.length))
  t.ok(delivered.length >= 4, `${delivered.length} records`)
  t.ok(Date.now() - started < 20_000)
})

t.test('a process is killed while a dead letter is replayed: it comes again, and is not lost', { skip }, async (t) => {
  const program = new MortalProgram(
    t.testdir(),
    `
    class Numbers extends databay.Inlet {
      pull(update, cursor) {
        const from = cursor.value ?? 0
        cursor.advance(from + 3)
        return [from, from + 1, from + 2]
      }
    }
    let isReplayed = false
    const inReplay = (point) => { if (isReplayed) at(point) }
    onCommit((when) => inReplay(when + ' the commit'))
    class Journal extends databay.Outlet {
      push(records) {
        const place = records.findIndex(({ payload }) => payload === 1)
        if (place >= 0 && process.env.REFUSES === 'yes') throw new databay.InvalidPayloadError('one is refused')
        isReplayed ||= place >= 0
        inReplay('offered')
        lines('cursor.txt', records.map(({ payload }) => payload))
        inReplay('taken')
      }
    }
    export const cursor = new databay.Link({
      delivery: 'cursor', interval: 0.02, inlets: new Numbers(), outlets: new Journal(), retry: { minDelay: 0.01, maxDelay: 0.02 },
    })`,
  )
  const command = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
  const letters = (...args: string[]) =>
    execFileSync(process.execPath, [command, 'dead-letters', ...args], { cwd: program.folder, encoding: 'utf8' })
  const first = await program.run({ REFUSES: 'yes', TRANSFERS: '10', THREADS: '1' })
  t.equal(first.code, 0, first.log)
  const list = JSON.parse(letters('list', '--json')) as unknown
  t.match(JSON.stringify(list), /"cursor"/, 'there is a dead letter')
  letters('replay', '--all')
  const ones = () => program.numbers('cursor.txt').filter((number) => number === 1).length
  for (const [point, times] of [
    ['offered', 0],
    ['taken', 1],
    ['before the commit', 2],
    ['after the commit', 3],
  ] as const) {
    const { signal, log } = await program.run({ POINT: point, THREADS: '1' })
    t.equal(signal, 'SIGKILL', `${point}: ${log}`)
    t.equal(ones(), times, point)
  }
  t.equal((await program.run({ THREADS: '1' })).code, 0)
  t.equal(ones(), 3, 'what was committed does not come again')
  t.notMatch(letters('list', '--json'), /"stage"/, 'no letter is left')
  const numbers = program.numbers('cursor.txt')
  const most = Math.max(...numbers)
  t.same(
    [...new Set(numbers)].sort((one, other) => one - other),
    upTo(most + 1),
    'nothing is lost',
  )
  t.ok(numbers.length - most - 1 <= 2 + 3, 'and beside the letter, the pull of one transfer comes again')
})
