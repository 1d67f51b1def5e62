import { availableParallelism } from 'node:os'
import t from 'tap'
import { grantedShare } from '../../../src/cli/tune/round.js'

const cores = availableParallelism()

t.test('alone on its machine, a process gets all the processor time it has work for', async (t) => {
  t.equal(grantedShare(1, 1, 1), 1)
  t.equal(grantedShare(0.2, 0.25, 0.2), 1)
  t.equal(grantedShare(cores, cores, 4 * cores), 1, 'more threads than cores do not make it more')
})

t.test('what others take that it had work for is missing', async (t) => {
  t.equal(grantedShare(0.5, cores, 1), 0.5)
  t.equal(grantedShare(0.5, 0.75, 1), 2 / 3, 'but no more than they take')
})

t.test('a thread that is held up without computing, as by reading a disk, was not kept from anything', async (t) => {
  t.equal(grantedShare(0.1, 0.1, 1), 1)
})

t.test('one that does nothing is not kept from anything either', async (t) => {
  t.equal(grantedShare(0, 1, 0), 1)
})
