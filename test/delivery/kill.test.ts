import { setTimeout as wait } from 'node:timers/promises'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DurableProgram, isBuilt, judge } from '../helpers/durable-programs.js'

const skip = !isBuilt && 'the package is not built'

/** A source of numbers, with a buffer that nearly always holds some, and two outlets. */
const NUMBERS = `
const { Inlet, Link, Buffer, FileOutlet } = databay
class Numbers extends Inlet {
  pull(update, cursor) {
    const from = cursor.value ?? 0
    const numbers = Array.from({ length: 1 + Math.floor(Math.random() * 5) }, (_, at) => String(from + at))
    cursor.advance(from + numbers.length)
    return numbers
  }
}
export const numbers = new Link({
  delivery: 'cursor', inlets: new Numbers(), interval: 0.01,
  processors: new Buffer({ countThreshold: 7 }),
  outlets: [new FileOutlet('a.txt'), new FileOutlet('b.txt')],
})
`

/** Most records of one release of the buffer, and of the pull that is under way. */
const RELEASED = 12

t.test(
  'a process is killed at random: nothing is lost, nothing out of order, little comes twice',
  { skip },
  async (t) => {
    const program = new DurableProgram(t.testdir(), NUMBERS)
    const kills = 4
    for (let kill = 0; kill < kills; kill++) {
      const running = await program.start()
      await wait(Math.random() * 150)
      await running.kill()
    }
    const running = await program.start()
    while (['a.txt', 'b.txt'].some((file) => program.lines(file).length < 40)) await wait(5)
    t.notMatch(await running.end(), /"level":[56]0/, 'nothing failed')
    for (const file of ['a.txt', 'b.txt']) {
      const { lost, double, back, ahead, last } = judge(program.lines(file))
      t.comment(`${file}: ${last + 1} records, ${kills} kills, ${lost} lost, ${double} double in ${back} times`)
      t.ok(last > 20, 'there was something to lose')
      t.equal(lost, 0)
      t.equal(ahead, 0, 'none is out of order')
      t.ok(back <= kills, 'it goes back only when it was killed')
      t.ok(double <= kills * RELEASED)
    }
  },
)

t.test('threads end by themselves: nothing is lost', { skip }, async (t) => {
  const program = new DurableProgram(
    t.testdir(),
    `${NUMBERS}
    let pulls = 0
    const { pull } = Numbers.prototype
    Numbers.prototype.pull = function (update, cursor) {
      if (++pulls === 25) setTimeout(() => { throw new Error('it ends the thread') }, Math.random() * 5)
      return pull.call(this, update, cursor)
    }`,
  )
  const running = await program.start()
  while (!running.log().includes('it ends the thread')) await wait(5)
  const { length } = program.lines('a.txt')
  while (program.lines('a.txt').length < length + 20) await wait(5)
  await running.kill()
  const { lost, ahead, last } = judge(program.lines('a.txt'))
  t.match({ lost, ahead }, { lost: 0, ahead: 0 })
  t.ok(last > 20, `${last} records`)
})

t.test('threads are recycled: nothing is lost, and nothing comes twice', { skip }, async (t) => {
  const program = new DurableProgram(t.testdir(), NUMBERS)
  const running = await program.start()
  for (let turn = 0; turn < 3; turn++) {
    await wait(60)
    await running.do('recycle')
  }
  while (program.lines('a.txt').length <= 21) await wait(5)
  await running.end()
  const { lost, ahead, double, last } = judge(program.lines('a.txt'))
  t.match({ lost, ahead, double }, { lost: 0, ahead: 0, double: 0 })
  t.ok(last > 20)
})

t.test('a file that is read through a buffer: a kill loses none of its lines', { skip }, async (t) => {
  const folder = t.testdir({ 'in.txt': '' })
  const program = new DurableProgram(
    folder,
    `import { appendFileSync } from 'node:fs'
    const { FileInlet, Link, Buffer, FileOutlet } = databay
    const noted = (records) => {
      appendFileSync('read.txt', records.map(({ payload }) => payload + '\\n').join(''))
      return records
    }
    export default new Link({
      id: 'lines', delivery: 'cursor', interval: 0.01, inlets: new FileInlet('in.txt', { linesPerTransfer: 50 }),
      processors: [noted, new Buffer({ countThreshold: 200 })], outlets: new FileOutlet('out.txt'),
    })`,
  )
  appendFileSync(join(folder, 'in.txt'), Array.from({ length: 190 }, (_, line) => `${line}\n`).join(''))
  const areRead = async (count: number) => {
    while (program.lines('read.txt').length < count) await wait(5)
  }
  const first = await program.start()
  await areRead(190)
  await first.kill()
  t.same(program.lines('out.txt'), [], 'the buffer had them')
  const second = await program.start()
  await areRead(2 * 190)
  await second.end()
  t.match(judge(program.lines('out.txt')), { lost: 0, double: 0, last: 189 })
  appendFileSync(join(folder, 'in.txt'), '190\n')
  const third = await program.start()
  await areRead(2 * 190 + 1)
  await third.end()
  t.same(program.lines('read.txt').slice(2 * 190), ['190'], 'what was delivered is not read again')
  t.match(judge(program.lines('out.txt')), { lost: 0, double: 0, last: 190 })
})
