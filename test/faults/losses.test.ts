import t from 'tap'
import { runFaults } from '../helpers/fault-group.js'

t.test('a thread that is lost is replaced, and its links transfer again', (t) => runFaults(t, 'losses', 8))
