import t from 'tap'
import { summaryText } from '../../../src/cli/run/summary.js'

const outcome = {
  links: 4,
  counts: { transfers: 120, failed: 1, skipped: 2, late: 3, missed: 0, lost: 0 },
  totals: { pulled: 3412, pushed: 3400, dropped: 12 },
  elapsed: 12_345,
}

t.test('the summary tells what was moved and what went wrong', async (t) => {
  t.equal(
    summaryText(outcome),
    '120 transfers of 4 links in 12.3 s: 3412 records pulled, 3400 pushed, 12 dropped; 1 failed, 3 late, 2 skipped',
  )
})

t.test('due times that were missed are told when there are some, long times without decimals', async (t) => {
  t.match(summaryText({ ...outcome, counts: { ...outcome.counts, missed: 5 } }), /2 skipped, 5 due times missed$/)
  t.match(summaryText({ ...outcome, elapsed: 3_600_400 }), /in 3600 s:/)
})

t.test('links that are blocked at the end, and dead letters, are told when there are some', async (t) => {
  const why = { node: 'HttpOutlet', stage: 'push', message: 'it is down', attempts: 3, since: 0, retryAt: 0 } as const
  const blocked = [
    { ...why, link: 'a', waiting: 5 },
    { ...why, link: 'b', waiting: 7 },
  ]
  t.match(summaryText({ ...outcome, blocked }), /2 skipped, 2 blocked, 12 records waiting$/)
  t.match(summaryText({ ...outcome, blocked: [{ ...why, link: 'a', waiting: 0 }] }), /2 skipped, 1 blocked$/)
  const counts = { ...outcome.counts, dead: 4 }
  t.match(summaryText({ ...outcome, counts }), /12 dropped, 4 dead letters; 1 failed/)
})
