import t from 'tap'
import { TraceTerm } from '../../../src/threads/main/trace-term.js'

const MINUTE = 60_000

t.test('a thread that was lost without anybody to blame is traced for ten minutes', async (t) => {
  const term = new TraceTerm()
  term.begin(1000)
  t.notOk(term.isOver(1000 + 10 * MINUTE - 1))
  t.ok(term.isOver(1000 + 10 * MINUTE))
})

t.test('for twice as long each time, a day at most', async (t) => {
  const term = new TraceTerm()
  for (const minutes of [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]) {
    term.begin(5)
    t.notOk(term.isOver(4 + minutes * MINUTE))
    t.ok(term.isOver(5 + minutes * MINUTE))
  }
})

t.test('for as long again when it is lost meanwhile, and it is known by whom', async (t) => {
  const term = new TraceTerm()
  term.begin(0)
  term.extend(9 * MINUTE)
  t.notOk(term.isOver(18 * MINUTE))
  t.ok(term.isOver(19 * MINUTE))
})
