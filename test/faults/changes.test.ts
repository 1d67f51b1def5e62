import t from 'tap'
import { runFaults } from '../helpers/fault-group.js'

t.test('threads and modules change while links transfer', (t) => runFaults(t, 'changes', 7))
