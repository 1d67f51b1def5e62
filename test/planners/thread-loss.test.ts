import t from 'tap'
import { threadLoss } from '../../src/planners/thread-loss.js'
import type { Hit } from '../../src/threads/main/hosting.js'
import type { LostThread } from '../../src/threads/main/thread-pool-options.js'
import { captureLogs } from '../helpers/logs.js'

const error = new RangeError('out of memory')
const lost = { thread: { number: 2 }, error, runs: [7, 8, 9], inside: 7, traced: false } as unknown as LostThread

t.test('a loss says whom it hit, who did it, and what it cost', async (t) => {
  const logs = captureLogs(t)
  const culprit = { name: 'greedy', quarantinedUntil: 1000 as number | undefined }
  let buffered = 1
  const loss = threadLoss(lost, { names: ['greedy', 'other'], culprit, buffered: () => buffered } as unknown as Hit)
  t.same(logs.entries(), [], 'not before it is asked')
  buffered = 5 // reports of transfers that had ended have come meanwhile
  culprit.quarantinedUntil = undefined
  t.strictSame(loss(), {
    thread: 2,
    error,
    culprit: 'greedy',
    quarantinedUntil: 1000,
    links: ['greedy', 'other'],
    transfers: 3,
    buffered: 5,
  })
  t.match(logs.entries(), [
    {
      level: 50,
      name: 'databay.WorkerPlanner',
      msg: 'thread 2 was lost by greedy with 3 transfers and 5 buffered records: out of memory',
    },
  ])
})

t.test('a thread that hosts nothing yet hits nobody', async (t) => {
  const logs = captureLogs(t)
  t.match(threadLoss(lost)(), { culprit: undefined, quarantinedUntil: undefined, links: [], buffered: 0 })
  t.match(logs.entries(), [{ msg: /^thread 2 was lost with 3 transfers and 0 buffered records: / }])
})
