import fc from '../helpers/fast-check.js'
import t from 'tap'
import { Repeats } from '../../src/base/repeats.js'

/** Trouble on a clock that is moved by hand, with the lines that it wrote. */
function troubled() {
  const lines: string[] = []
  const clock = { now: 1000 }
  const repeats = new Repeats(() => clock.now)
  return {
    lines,
    clock,
    repeats,
    again: (kind = 'it', amount = 1) =>
      repeats.again(kind, (counted) => lines.push(`${kind} failed${counted}`), { amount }),
    over: () => repeats.over((total, time) => lines.push(`well again: ${total} in ${time}`)),
    end: () => repeats.end((total, time) => lines.push(`ended: ${total} in ${time}`)),
  }
}

t.test('the first time is written at once, what follows is counted, and written ever more rarely', async (t) => {
  const { lines, clock, again } = troubled()
  const at: number[] = []
  for (let second = 0; second <= 4 * 3600; second++) {
    clock.now = 1000 * second
    const before = lines.length
    again()
    if (lines.length > before) at.push(second / 60)
  }
  t.strictSame(at, [0, 1, 3, 7, 15, 31, 63, 123, 183])
  t.strictSame(lines.slice(0, 3), ['it failed', 'it failed; 60 times in 60 s', 'it failed; 120 times in 2 min'])
})

t.test('when it has been quiet for a while, one line says so, with all that has happened', async (t) => {
  const { lines, clock, again, over } = troubled()
  over()
  t.strictSame(lines, [], 'nothing was wrong')
  for (let time = 0; time < 100_000; time += 10) {
    clock.now = time
    again()
    over()
  }
  clock.now += 5000
  over()
  over()
  t.strictSame(lines, ['it failed', 'it failed; 6,000 times in 60 s', 'well again: 10,000 in 100 s'])
})

t.test('what comes and goes writes no more lines than what stays', async (t) => {
  const { lines, clock, again, over } = troubled()
  for (let second = 0; second < 3600; second += 10) {
    clock.now = 1000 * second
    again()
    clock.now += 5000
    over()
  }
  t.ok(lines.length <= 2 * 7, `${lines.length} lines in an hour`)
})

t.test('trouble that comes back after a long quiet has its line at once', async (t) => {
  const { lines, clock, again } = troubled()
  again()
  clock.now += 61_000
  again()
  clock.now += 1000
  again()
  t.strictSame(lines, ['it failed', 'it failed'])
})

t.test('kinds of trouble are told apart, but for numbers, and up to twenty', async (t) => {
  const { lines, again } = troubled()
  for (const kind of ['read 5', 'write 5', 'read 6']) again(kind)
  t.strictSame(lines, ['read 5 failed', 'write 5 failed'])
  for (let kind = 0; kind < 100; kind++) again(`${String.fromCharCode(65 + kind)} is down`)
  t.equal(lines.length, 21)
})

t.test('an outage that follows a calm has its line at once, however long the one before was', async (t) => {
  const { lines, clock, again, over } = troubled()
  const pass = (minutes: number, step: () => void) => {
    for (const end = clock.now + minutes * 60_000; clock.now < end; clock.now += 5000) step()
  }
  pass(200, again)
  pass(10, over)
  t.equal(lines.at(-1), 'well again: 2,400 in 200 min')
  const before = lines.length
  again()
  t.equal(lines.length, before + 1)
  t.equal(lines.at(-1), 'it failed')
  pass(45, again)
  pass(1, over)
  t.equal(lines.at(-1), 'well again: 541 in 45 min')
})

t.test('trouble that was only counted is told when it is over, with the time since it began', async (t) => {
  const { lines, clock, again, over } = troubled()
  for (const second of [0, 5, 10, 15, 20]) {
    clock.now = 1000 * second
    if (second === 5) over()
    else again()
  }
  clock.now = 20_000 + 4000
  over()
  t.strictSame(lines, ['it failed', 'well again: 1 in 0 ms'], 'not at once, as it may come and go')
  clock.now = 20_000 + 5 * 60_000
  over()
  t.strictSame(lines.slice(2), ['well again: 3 in 10 s'])
})

t.test('kinds of long ago leave room for new ones', async (t) => {
  const { lines, clock, again } = troubled()
  const hit = (letter: number) => again(`${String.fromCharCode(65 + letter)} is down`)
  for (let letter = 0; letter < 25; letter++) hit(letter)
  t.equal(lines.length, 21)
  clock.now += 120_000
  again('disk full')
  again('another')
  t.strictSame(lines.slice(21), ['disk full failed', 'another failed'])
})

t.test('parts of one occasion are all written', async (t) => {
  const { repeats, lines } = troubled()
  const [first, second] = [{}, {}]
  const again = (occasion: object) => repeats.again('it', (counted) => lines.push(`it${counted}`), { occasion })
  again(first)
  again(first)
  again(second)
  t.strictSame(lines, ['it', 'it'])
})

t.test('at the end, what was only counted is told', async (t) => {
  const { lines, clock, again, end } = troubled()
  again()
  end()
  t.strictSame(lines, ['it failed'], 'all was told')
  again()
  clock.now += 2000
  again()
  end()
  end()
  t.strictSame(lines.slice(2), ['ended: 2 in 2 s'])
})

t.test('in any history, few lines are written and none is missing', async () => {
  const step = fc.record({ wait: fc.integer({ min: 0, max: 30_000 }), what: fc.constantFrom('again', 'over') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { lines, clock, again, over, end } = troubled()
      let happened = 0
      for (const { wait, what } of steps) {
        clock.now += wait
        if (what === 'over') over()
        else {
          happened++
          again()
        }
      }
      end()
      const minutes = (clock.now - 1000) / 60_000
      // a line and its end in each minute at most
      if (lines.length > 2 * minutes + 3) throw new Error(`${lines.length} lines in ${minutes} min`)
      if (happened > 0 !== lines.length > 0) throw new Error('nothing was written')
    }),
  )
})
