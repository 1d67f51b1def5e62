import t from 'tap'
import { runFaults } from '../helpers/fault-group.js'

t.test('starts and shutdowns end in time, whatever hangs', (t) => runFaults(t, 'stops', 6))
