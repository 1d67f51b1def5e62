/** Commands on dead letters beside a planner that runs in another process. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { databay } from '../../../src/cli/databay.js'
import { fakeContext } from '../../helpers/command.js'
import { DeadLetters } from '../../../src/store/dead-letters.js'
import { readStore } from '../../../src/store/store.js'
import { DurableProgram, isBuilt } from '../../helpers/durable-programs.js'

const skip = isBuilt ? false : 'it is not built'

/** A source of the numbers 0 to 29, and an outlet that refuses every tenth one until a file says otherwise. */
const LINKS = (options: string) => `
  import { existsSync, appendFileSync } from 'node:fs'
  const { Inlet, Outlet, Link, PartialPushError, InvalidPayloadError } = databay
  class Numbers extends Inlet {
    pull(update, cursor) {
      const first = cursor.value ?? 0
      if (first >= 30) return []
      cursor.advance(first + 5)
      return [0, 1, 2, 3, 4].map((n) => first + n)
    }
  }
  class Picky extends Outlet {
    push(records) {
      const isBad = ({ payload }) => payload % 10 === 7 && !existsSync('mended')
      const taken = records.filter((record) => !isBad(record))
      appendFileSync('picky.txt', taken.map(({ payload }) => payload + '\\n').join(''))
      const rejected = records.flatMap((record, index) =>
        isBad(record) ? [{ index, error: new InvalidPayloadError('a seven') }] : [])
      if (rejected.length > 0) throw new PartialPushError('Picky', taken.length, rejected)
    }
  }
  class All extends Outlet {
    push(records) {
      appendFileSync('all.txt', records.map(({ payload }) => payload + '\\n').join(''))
    }
  }
  export const numbers = new Link({
    delivery: 'cursor', inlets: new Numbers(), outlets: [new Picky(), new All()], interval: 0.02,
    retry: { minDelay: 0.02, maxDelay: 0.05 }, ${options}
  })`

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10)
}

const sorted = (lines: readonly string[]) => lines.map(Number).sort((a, b) => a - b)
const ALL = Array.from({ length: 30 }, (_, n) => n)

function folderOf(t: Test, options: string) {
  const folder = t.testdir()
  const program = new DurableProgram(folder, LINKS(options))
  const command = async (...argv: readonly string[]) => {
    const context = fakeContext(['dead-letters', ...argv, '--store', join(folder, '.databay')])
    t.equal((await databay(context)).code, 0, `${argv.join(' ')}: ${context.stderr.text}`)
    return context.stdout.text
  }
  const letters = async () => {
    const database = await readStore(join(folder, '.databay'))
    try {
      return new DeadLetters(database).list()
    } finally {
      database.close()
    }
  }
  return { folder, program, command, letters }
}

t.test('letters are listed, replayed and dropped beside a planner', { skip, timeout: 120_000 }, async (t) => {
  const { folder, program, command, letters } = folderOf(t, '')
  const running = await program.start()
  await until(() => program.lines('all.txt').length === 30)
  const list = await command('list')
  t.match(list, /\n1 +numbers +Picky +push +outlet:0 +Picky .* a seven\n2 .*\n3 .*\n\n3 dead letters\n$/)
  t.match(
    await command('replay', '--id', '1'),
    /^1 dead letter of numbers will be delivered: at the next transfer of the link/,
  )
  await until(async () => (await letters()).every(({ replay }) => !replay))
  t.match(await command('show', '1', '--json'), /"replay":false/, 'it was refused again')
  writeFileSync(join(folder, 'mended'), '')
  await command('replay', '--id', '1', '--id', '2')
  await until(() => program.lines('picky.txt').length === 29)
  t.match(await command('drop', '--all'), '1 dead letter of numbers deleted\n')
  t.equal(await command('list'), 'no dead letters\n')
  t.same(
    sorted(program.lines('picky.txt')),
    ALL.filter((n) => n !== 27),
  )
  t.same(sorted(program.lines('all.txt')), ALL, 'the other outlet got nothing twice')
  t.same(program.lines('picky.txt').slice(-2), ['7', '17'], 'they come behind newer ones')
  await running.end()
})

t.test(
  'a link that has no room for dead letters goes on once some are dropped',
  { skip, timeout: 120_000 },
  async (t) => {
    const { program, command, letters } = folderOf(t, 'deadLetters: { max: 1 }')
    const hasOne = async () => (await letters()).length === 1
    const running = await program.start()
    await until(() => /no room for a further dead letter/.test(running.log()))
    t.match(await command('list'), /\n\n1 dead letter\n$/)
    t.same(sorted(program.lines('picky.txt')).includes(20), false, 'it pulls nothing')
    await command('drop', '--all')
    await until(() => program.lines('picky.txt').includes('20'))
    await until(hasOne)
    await command('drop', '--all')
    await until(() => program.lines('all.txt').length === 30)
    await until(hasOne)
    t.same(
      sorted(program.lines('picky.txt')),
      ALL.filter((n) => n % 10 !== 7),
    )
    t.match(await command('list'), /\n\n1 dead letter\n$/)
    await running.end()
  },
)

t.test(
  'letters that were marked while no planner ran are delivered once, also after kills',
  { skip, timeout: 120_000 },
  async (t) => {
    const { folder, program, command, letters } = folderOf(t, '')
    const first = await program.start()
    await until(() => program.lines('all.txt').length === 30)
    await until(async () => (await letters()).length === 3)
    await first.kill()
    t.match(
      await command('replay', '--all'),
      '3 dead letters of numbers will be delivered: once a planner uses this store again\n',
    )
    writeFileSync(join(folder, 'mended'), '')
    const second = await program.start()
    await until(() => program.lines('picky.txt').length >= 30)
    await second.kill()
    const third = await program.start()
    await until(async () => (await letters()).length === 0)
    await third.end()
    t.same([...new Set(sorted(program.lines('picky.txt')))], ALL)
  },
)
