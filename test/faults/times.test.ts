import t from 'tap'
import { runFaults } from '../helpers/fault-group.js'

t.test('stalls, clocks that are set, and nights in which they change', (t) => runFaults(t, 'times', 6))
