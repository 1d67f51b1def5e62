import t from 'tap'
import { runFaults } from '../helpers/fault-group.js'

t.test('links that cannot be started', (t) => runFaults(t, 'starts', 3))
