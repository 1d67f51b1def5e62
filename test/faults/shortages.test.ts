import t from 'tap'
import { runFaults } from '../helpers/fault-group.js'

t.test('a time without file descriptors', (t) => runFaults(t, 'shortages', 3))
