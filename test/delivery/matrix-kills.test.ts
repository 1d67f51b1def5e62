/** The rows of the crash matrix in which a process or a thread is killed, each at the point that its row names. */
import { join } from 'node:path'
import t from 'tap'
import { checkStore } from '../../src/store/check.js'
import { can, isBuilt, MortalProgram } from '../helpers/durable-programs.js'

const skip = !isBuilt && 'the package is not built'

/** Two outlets, of which `b` waits until `a` has taken its batch. Points count in the second transfer. */
const PARTS = `
let isSecond = false
const inSecond = (point) => { if (isSecond) at(point) }
class Journal extends databay.Outlet {
  constructor(name) {
    super()
    this.name = name
  }
  async push(records) {
    inSecond(this.name + ' is offered')
    if (this.name === 'b') await new Promise(setImmediate)
    lines(this.name + '.txt', records.map(({ payload }) => payload))
    inSecond(this.name + ' took')
  }
}
const settings = {
  interval: 0.01,
  processors: (records) => (inSecond('processed'), records),
  groupers: (batches) => (inSecond('grouped'), batches),
  outlets: [new Journal('a'), new Journal('b')],
}
const three = (from) => [from, from + 1, from + 2]
`

const MAIN = `
planner.on('transfer', ({ transferNumber }) => { if (transferNumber === 1) at('report') })
let isOver = false
planner.on('transfer', ({ transferNumber }) => { isOver ||= transferNumber === 1 })
onCommit((when) => { if (isOver && when === 'after') at('ledger') })
`

/** A point of a transfer: whether `a` and `b` have its records by then, and whether they do not come again. */
type Point = readonly [point: string, a: boolean, b: boolean, isOver: boolean]

/** Kills a program at each point in turn, and lets it end. Gives what `a` and `b` are to have, and what they have. */
async function killAtEach(program: MortalProgram, points: readonly Point[]) {
  const expected: { readonly a: number[]; readonly b: number[] } = { a: [], b: [] }
  let from = 0
  const passes = (a: boolean, b: boolean, isOver: boolean) => {
    const three = [from, from + 1, from + 2]
    if (a) expected.a.push(...three)
    if (b) expected.b.push(...three)
    if (isOver) from += 3
  }
  const signals: unknown[] = []
  for (const [point, a, b, isOver] of points) {
    const { signal, log } = await program.run({ POINT: point, THREADS: '1' })
    signals.push(signal === 'SIGKILL' ? signal : `${point}: ${String(signal)}: ${log}`)
    passes(true, true, true)
    passes(a, b, isOver)
  }
  const { code, log } = await program.run({ THREADS: '1' })
  passes(true, true, true)
  passes(true, true, true)
  const actual = { a: program.numbers('a.txt'), b: program.numbers('b.txt') }
  return { expected, actual, signals, end: { code, log } }
}

t.test('cursor: a process is killed at each point of a transfer', { skip }, async (t) => {
  const program = new MortalProgram(
    t.testdir(),
    `${PARTS}
    onCommit((when) => inSecond(when + ' the commit'))
    class Numbers extends databay.Inlet {
      pull({ transferNumber }, cursor) {
        isSecond = transferNumber === 1
        const from = cursor.value ?? 0
        cursor.advance(from + 3)
        inSecond('pulled')
        return three(from)
      }
      onTransferEnd() {
        inSecond('inlets are told')
      }
    }
    export const numbers = new databay.Link({ ...settings, delivery: 'cursor', inlets: new Numbers() })`,
    MAIN,
  )
  const { expected, actual, signals, end } = await killAtEach(program, [
    ['pulled', false, false, false],
    ['processed', false, false, false],
    ['grouped', false, false, false],
    ['a is offered', false, false, false],
    ['a took', true, false, false],
    ['b took', true, true, false],
    ['before the commit', true, true, false],
    ['after the commit', true, true, true],
    ['inlets are told', true, true, true],
    ['report', true, true, true],
    ['ledger', true, true, true],
  ])
  t.same(
    signals,
    signals.map(() => 'SIGKILL'),
  )
  t.same(actual, expected, 'what was not committed is pulled again as a whole, and comes again to all outlets')
  t.equal(end.code, 0)
  t.notMatch(end.log, /"level":[56]0/)
  t.same((await checkStore(join(program.folder, '.databay'))).problems, [])
})

t.test('memory: what a killed process had in hand is lost, or with the outlets that have it', { skip }, async (t) => {
  const program = new MortalProgram(
    t.testdir(),
    `${PARTS}
    import { existsSync, readFileSync, writeFileSync } from 'node:fs'
    class Gone extends databay.Inlet {
      pull({ transferNumber }) {
        isSecond = transferNumber === 1
        const from = existsSync('gone') ? Number(readFileSync('gone')) : 0
        writeFileSync('gone', String(from + 3))
        inSecond('pulled')
        return three(from)
      }
    }
    export const numbers = new databay.Link({ ...settings, inlets: new Gone() })`,
    MAIN,
  )
  const { expected, actual, signals, end } = await killAtEach(program, [
    ['pulled', false, false, true],
    ['grouped', false, false, true],
    ['a is offered', false, false, true],
    ['a took', true, false, true],
    ['b took', true, true, true],
    ['report', true, true, true],
  ])
  t.same(
    signals,
    signals.map(() => 'SIGKILL'),
  )
  t.same(actual, expected)
  t.equal(end.code, 0)
  t.notMatch(end.log, /"level":[56]0/)
})

t.test(
  'a thread is killed: memory counts what is lost, cursor pulls it again, others are unharmed',
  { skip },
  async (t) => {
    const program = new MortalProgram(
      t.testdir(),
      `
    import { existsSync } from 'node:fs'
    import { isMainThread } from 'node:worker_threads'
    class Numbers extends databay.Inlet {
      pull(update, cursor) {
        const from = cursor.value ?? 0
        cursor.advance(from + 3)
        return [from, from + 1, from + 2]
      }
    }
    const killOnce = (name) => {
      if (existsSync(name)) return
      lines(name, ['killed'])
      process.exit()
    }
    class Given extends databay.Inlet {
      pull({ transferNumber }) {
        if (transferNumber === 7) killOnce('memory')
        return [transferNumber]
      }
    }
    class Journal extends databay.Outlet {
      constructor(name) {
        super()
        this.name = name
      }
      push(records, { transferNumber }) {
        lines(this.name + '.txt', records.map(({ payload }) => payload))
        if (this.name === 'cursor' && transferNumber === 4) killOnce('cursor')
      }
    }
    const link = (name, more) => new databay.Link({ interval: 0.02, outlets: new Journal(name), ...more })
    const held = new databay.Buffer({ customControllers: (records) => records.length >= 5 })
    export const memory = link('memory', { inlets: new Given(), processors: held })
    export const cursor = link('cursor', { inlets: new Numbers(), delivery: 'cursor' })
    export const unharmed = link('unharmed', { inlets: new Numbers(), delivery: 'cursor' })`,
      `planner.on('threadLost', ({ links, buffered }) => say({ links, buffered }))
    planner.on('transfer', ({ link, errors }) => { if (errors.length > 0) say({ link, code: errors[0].code }) })
    planner.finished.then(() => say({ removed: planner.stats().removed }))`,
    )
    const { code, said, log } = await program.run({ THREADS: '3', TRANSFERS: '12' })
    t.equal(code, 0, log)
    const lost = said.filter(({ links }) => links !== undefined)
    t.match(
      said.filter(({ link }) => link !== undefined),
      [{ code: 'DATABAY_THREAD_LOST' }, { code: 'DATABAY_THREAD_LOST' }],
      'the transfers under way failed',
    )
    t.same(
      lost.flatMap(({ links }) => links as string[]).sort(),
      ['cursor', 'memory'],
      'each link had a thread of its own',
    )
    t.same(
      program.numbers('unharmed.txt'),
      Array.from({ length: 36 }, (_, at) => at),
    )
    const cursor = program.numbers('cursor.txt')
    t.same(
      [...new Set(cursor)],
      Array.from({ length: 33 }, (_, at) => at),
      'nothing is lost',
    )
    t.same(cursor.slice(12, 21), [12, 13, 14, 12, 13, 14, 15, 16, 17], 'one pull came again')
    t.same(program.numbers('memory.txt'), [0, 1, 2, 3, 4, 8, 9, 10, 11], 'what its buffer held is lost')
    t.match(
      lost.find(({ links }) => (links as string[]).includes('memory')),
      { buffered: 2 },
    )
    const removed = said.flatMap((value) => (value['removed'] ?? []) as { link: string; outlets: object[] }[])
    t.match(
      removed.sort((one, other) => one.link.localeCompare(other.link)),
      [{ outlets: [{ lost: 0 }] }, { outlets: [{ lost: 2 }] }, { outlets: [{ lost: 0 }] }],
      'and counted',
    )
  },
)

const strace = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=pwrite64,fdatasync,fsync']
const noStrace = can('strace', ...strace, '-e', 'inject=fsync:error=EIO:when=999', 'true')
  ? false
  : 'there is no strace here, or it may not trace'

t.test('a process is killed in the commit: it is there, or it is not', { skip: skip || noStrace }, async (t) => {
  const program = new MortalProgram(
    t.testdir(),
    `class Numbers extends databay.Inlet {
      pull(update, cursor) {
        const from = cursor.value ?? 0
        cursor.advance(from + 3)
        return [from, from + 1, from + 2]
      }
    }
    class Journal extends databay.Outlet {
      push = (records) => lines('a.txt', records.map(({ payload }) => payload))
    }
    export const numbers = new databay.Link({
      delivery: 'cursor', interval: 0.01, inlets: new Numbers(), outlets: new Journal(),
    })`,
  )
  // writes and syncs are counted thread by thread: these are in the commits of the thread with the link
  const points = [21, 24, 27, 30]
  for (const when of points) {
    const inject = `inject=pwrite64,fdatasync,fsync:signal=KILL:when=${when}`
    const ended = await program.run({ TRANSFERS: '100', THREADS: '1' }, ['strace', ...strace, '-e', inject])
    t.equal(ended.signal ?? ended.code, 'SIGKILL', ended.log)
  }
  t.equal((await program.run()).code, 0)
  const numbers = program.numbers('a.txt')
  const most = Math.max(...numbers)
  t.equal(new Set(numbers).size, most + 1, 'nothing is lost')
  t.ok(numbers.length - most - 1 <= 3 * points.length, 'at most one pull comes again')
  t.ok(numbers.every((number, at) => at === 0 || number <= (numbers[at - 1] ?? 0) + 1))
  t.same((await checkStore(join(program.folder, '.databay'))).problems, [])
})
