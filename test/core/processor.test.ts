import t from 'tap'
import { Buffer } from '../../src/core/buffer.js'
import { checkGroupers, checkProcessors, nameOf, type AnyGrouper, type AnyProcessor } from '../../src/core/processor.js'
import { toArray } from '../../src/base/one-or-many.js'

t.test('one, several or none become a list of its own', async (t) => {
  const list = [1, 2]
  t.strictSame(toArray(1), [1])
  t.strictSame(toArray(list), [1, 2])
  t.not(toArray(list), list)
  t.strictSame(toArray(undefined), [])
})

t.test('a processor is a function or an object with process()', async (t) => {
  const processors: AnyProcessor[] = [(records) => records, new Buffer(), { process: (records) => records }]
  t.strictSame(checkProcessors('processors', processors), processors)
  t.strictSame(checkProcessors('processors', undefined), [])
  for (const wrong of [null, 'x', 5, {}, { process: 1 }, []] as unknown as AnyProcessor[]) {
    t.throws(() => checkProcessors('processors', [processors[0]!, wrong]), {
      code: 'DATABAY_INVALID_OPTION',
      option: 'processors[1]',
      message: /^processors\[1\]: expected a function, or an object with a method process\(\), got /,
    })
  }
})

t.test('a grouper is a function', async (t) => {
  const grouper: AnyGrouper = (batches) => batches
  t.strictSame(checkGroupers('groupers', grouper), [grouper])
  for (const wrong of [null, 'x', new Buffer()] as unknown as AnyGrouper[]) {
    t.throws(() => checkGroupers('groupers', wrong), {
      option: 'groupers[0]',
      message: /^groupers\[0\]: expected a function, got /,
    })
  }
})

t.test('a processor is named by its function or class', async (t) => {
  function score() {}
  t.equal(nameOf('processor', score, 2), 'processor score')
  t.equal(nameOf('processor', new Buffer(), 2), 'processor Buffer')
})

t.test('a processor without a name is named by its place', async (t) => {
  t.equal(
    nameOf(
      'grouper',
      (
        () => () =>
          1
      )(),
      2,
    ),
    'grouper 2',
  )
  t.equal(nameOf('processor', { process: () => [] }, 0), 'processor 0')
  const byItself = { processors: () => [], groupers: () => [] }
  t.equal(nameOf('processor', byItself.processors, 0), 'processor 0', 'not after the option')
  t.equal(nameOf('grouper', byItself.groupers, 0), 'grouper 0')
  t.equal(nameOf('processor', Object.create(null) as object, 1), 'processor 1')
  const odd = Object.defineProperty(() => 1, 'name', { value: Symbol('odd') })
  t.equal(nameOf('processor', odd, 3), 'processor 3')
  const failing = Object.defineProperty(() => 1, 'name', {
    get() {
      throw new Error('no name')
    },
  })
  t.equal(nameOf('processor', failing, 4), 'processor 4')
})
