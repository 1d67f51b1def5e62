import t from 'tap'
import { runFaults } from '../helpers/fault-group.js'

t.test('what a buffer handed off is pushed, or counted and logged as lost', (t) => runFaults(t, 'handOffs', 5))
