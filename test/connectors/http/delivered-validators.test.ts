import t from 'tap'
import { DeliveredValidators } from '../../../src/connectors/http/inlet/delivered-validators.js'
import { Update } from '../../../src/core/update.js'

const update = (number: number) => new Update(['a'], number)

t.test('validators count as soon as their response is read, unless it turns out not to be delivered', async (t) => {
  const validators = new DeliveredValidators()
  const [first, second] = [update(0), update(1)]
  validators.begin(first)({ etag: '1' })
  t.same(validators.current, { etag: '1' }, 'a buffer may hold the response for long')
  validators.ended(first, true)
  t.same(validators.current, { etag: '1' })
  validators.begin(second)({ etag: '2' })
  validators.ended(second, false)
  t.same(validators.current, { etag: '1' }, 'a response that was not delivered is asked for again')
})

t.test('what a buffer holds moves along, and is asked for again when it is not delivered after all', async (t) => {
  const validators = new DeliveredValidators()
  const [first, second] = [update(0), update(1)]
  validators.begin(first)({ etag: '1' })
  validators.ended(first, true)
  validators.begin(second)({ etag: '2' })
  for (const delivered of [true, false]) {
    const moved = new DeliveredValidators()
    moved.restore(structuredClone(validators.save()))
    t.same(moved.current, { etag: '2' })
    t.same(moved.save(), validators.save())
    moved.ended(update(1), delivered)
    t.same(moved.current, { etag: delivered ? '2' : '1' })
    t.same(moved.save(), moved.current)
  }
})

t.test('a pull that read no response changes nothing', async (t) => {
  const validators = new DeliveredValidators()
  validators.restore({ etag: '1' })
  validators.begin(update(0))
  validators.ended(update(0), true)
  t.same(validators.current, { etag: '1' })
})

t.test('a response without validators leaves none', async (t) => {
  const validators = new DeliveredValidators()
  validators.restore({ etag: '1' })
  const only = update(0)
  validators.begin(only)(undefined)
  validators.ended(only, true)
  t.equal(validators.current, undefined)
})

t.test('of transfers at the same time, the pull that began last counts, whichever ends last', async (t) => {
  const validators = new DeliveredValidators()
  const [early, late] = [update(0), update(1)]
  const [noteEarly, noteLate] = [validators.begin(early), validators.begin(late)]
  noteLate({ etag: 'late' })
  noteEarly({ etag: 'early' })
  validators.ended(late, true)
  validators.ended(early, true)
  t.same(validators.current, { etag: 'late' })
})
