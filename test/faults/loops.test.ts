import t from 'tap'
import { runFaults } from '../helpers/fault-group.js'

t.test('a link that ends its thread again and again is kept away', (t) => runFaults(t, 'loops', 2))
