import t from 'tap'
import { runFaults } from '../helpers/fault-group.js'

t.test('faults by chance, while all is changed', (t) => runFaults(t, 'mix', 1, ['--seconds', '10']))
