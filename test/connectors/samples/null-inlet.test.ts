import t from 'tap'
import { InvalidOptionError } from '../../../src/base/errors.js'
import type { InletOptions } from '../../../src/core/inlet.js'
import { NullInlet } from '../../../src/connectors/samples/null-inlet.js'

t.test('a null inlet produces nothing and has no state', async (t) => {
  const inlet = new NullInlet({ metadata: { a: 1 } })
  t.same(inlet.pull(), [])
  t.same(inlet.metadata, { a: 1 })
  t.equal(inlet.saveState(), undefined)
  t.throws(() => new NullInlet({ meta: {} } as InletOptions), InvalidOptionError)
})
