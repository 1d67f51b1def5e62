import t from 'tap'
import { addReport, NO_TOTALS } from '../../../src/cli/run/totals.js'
import { failedReport, type OutletReport } from '../../../src/core/report.js'

const report = failedReport({ link: 'a', update: 'a.0', transferNumber: 0, thread: 1, scheduledAt: 0 }, 'x', true)
const outlet: OutletReport = { outlet: 'o', pushed: 0, filtered: 0, added: 0, dropped: 0, batches: 1, buffered: 0 }

t.test('records are summed over transfers and outlets', async (t) => {
  const one = {
    ...report,
    pulled: 5,
    dropped: 1,
    outlets: [
      { ...outlet, pushed: 3, dropped: 1 },
      { ...outlet, pushed: 4 },
    ],
  }
  t.strictSame([one, one].reduce(addReport, NO_TOTALS), { pulled: 10, pushed: 14, dropped: 4 })
})

t.test('a transfer without outlets adds nothing', async (t) => {
  t.strictSame(addReport(NO_TOTALS, report), NO_TOTALS)
})
