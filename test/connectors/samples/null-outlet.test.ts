import t from 'tap'
import { InvalidOptionError } from '../../../src/base/errors.js'
import type { OutletOptions } from '../../../src/core/outlet.js'
import { NullOutlet } from '../../../src/connectors/samples/null-outlet.js'

t.test('a null outlet takes records, does nothing and has no state', async (t) => {
  const double = <T>(records: T[]) => [...records, ...records]
  const outlet = new NullOutlet({ processors: double })
  outlet.push()
  t.same(outlet.processors, [double])
  t.equal(outlet.saveState(), undefined)
  t.throws(() => new NullOutlet({ process: [] } as OutletOptions), InvalidOptionError)
})
