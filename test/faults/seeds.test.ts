import path from 'node:path'
import t from 'tap'
import { Seeds } from './seeds.js'

t.test('seeds that held are not run again, those that did not are', async (t) => {
  const file = path.join(t.testdir({}), 'seeds.json')
  const first = new Seeds(file, 12)
  t.same(first.left(5, 3), [5, 6, 7])
  first.note(5, true)
  first.note(6, false)
  const second = new Seeds(file, 12)
  t.same([second.left(5, 3), second.held], [[6, 7], 1])
  second.note(6, true)
  t.same(new Seeds(file, 12).left(5, 4), [7, 8])
  t.same(new Seeds(file, 60).left(5, 1), [5], 'a run of another length is another run')
})
