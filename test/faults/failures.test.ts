import t from 'tap'
import { runFaults } from '../helpers/fault-group.js'

t.test('a transfer that fails costs nothing but itself', (t) => runFaults(t, 'failures', 5))
