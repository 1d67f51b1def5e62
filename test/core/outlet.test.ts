import t from 'tap'
import { Buffer } from '../../src/core/buffer.js'
import { isOutlet, type OutletOptions } from '../../src/core/outlet.js'
import { giving, KeepOutlet } from '../helpers/nodes.js'

t.test('an outlet has no processors of its own unless it is given some', async (t) => {
  t.strictSame(new KeepOutlet().processors, [])
})

t.test('an outlet takes one processor or several', async (t) => {
  const processor = <T>(records: T[]) => records
  const buffer = new Buffer()
  t.strictSame(new KeepOutlet(undefined, { processors: processor }).processors, [processor])
  const list = [processor, buffer]
  const outlet = new KeepOutlet(undefined, { processors: list })
  list.pop()
  t.strictSame(outlet.processors, [processor, buffer], 'the list that was given is copied')
  t.ok(Object.isFrozen(outlet.processors))
})

t.test('a processor that is none is refused, with its place', async (t) => {
  const processors = [() => [], 'double'] as unknown as NonNullable<OutletOptions['processors']>
  t.throws(() => new KeepOutlet(undefined, { processors }), {
    code: 'DATABAY_INVALID_OPTION',
    message: "processors[1]: expected a function, or an object with a method process(), got 'double'",
  })
})

t.test('options that are no object are refused', async (t) => {
  for (const options of [null, 5, 'x', []] as unknown as OutletOptions[]) {
    t.throws(() => new KeepOutlet(undefined, options), { message: /^options: expected an object, got / })
  }
})

t.test('isOutlet knows outlets, also those of another copy of the package', async (t) => {
  t.ok(isOutlet(new KeepOutlet()))
  t.equal(Reflect.get(new KeepOutlet(), Symbol.for('databay.Outlet')), true)
  t.ok(isOutlet({ [Symbol.for('databay.Outlet')]: true }))
  for (const other of [null, undefined, {}, giving(1), KeepOutlet, 'outlet']) t.notOk(isOutlet(other))
})
