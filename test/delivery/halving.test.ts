import t from 'tap'
import { BatchPush } from '../../src/delivery/batch-push.js'
import type { WaitingBatch } from '../../src/delivery/waiting-batch.js'
import { Record } from '../../src/core/record.js'
import { InvalidPayloadError } from '../../src/core/partial-push.js'

t.test(
  'a record that fails once while a batch is halved, for an unknown reason, comes before those behind it',
  async (t) => {
    const records = [0, 1, 2, 3].map((payload) => new Record(payload))
    const batch = { records, attempts: 0, suspicions: undefined, refusals: new Map() } as unknown as WaitingBatch
    const taken: unknown[] = []
    const dead: unknown[] = []
    let failures = 0
    const push = new BatchPush(batch, {
      deadLetters: { after: 3, max: 10, maxAge: Infinity, whenFull: 'wait', payload: true } as never,
      push: async (some) => {
        const numbers = some.map(({ payload }) => payload)
        if (numbers.includes(0)) throw new InvalidPayloadError('no nought')
        if (numbers.length === 1 && numbers[0] === 1 && failures++ === 0) throw new Error('it is out of sorts')
        taken.push(...numbers)
      },
      taken: () => undefined,
      bury: (some) => {
        dead.push(...some.map(({ payload }) => payload))
        return 'dead'
      },
    })
    t.equal(await push.run(), undefined)
    t.same([taken, dead, failures], [[1, 2, 3], [0], 2])
  },
)
