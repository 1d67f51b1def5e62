import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { Deadlines } from '../../../src/threads/worker/deadlines.js'

t.test('the earliest of the times that are left', async (t) => {
  const step = fc.record({ add: fc.boolean(), run: fc.nat(199), time: fc.nat(5) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const deadlines = new Deadlines()
      const model = new Map<number, number>()
      for (const { add, run, time } of steps) {
        if (add && !model.has(run)) {
          deadlines.add(run, time)
          model.set(run, time)
        } else if (!add) {
          deadlines.delete(run)
          model.delete(run)
        }
        if (deadlines.earliest !== Math.min(...model.values())) return false
      }
      return true
    }),
  )
  t.equal(new Deadlines().earliest, Infinity)
})
