/** The tables of options in the docs have every option of the code, with the default that the code goes by. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import type { AnySpec } from '../src/base/options.js'
import { BUFFER_OPTIONS } from '../src/core/buffer.js'
import { DISTINCT_OPTIONS } from '../src/core/distinct.js'
import { DEAD_LETTER_OPTIONS, LINK_RETRY_OPTIONS } from '../src/core/delivery-options.js'
import { LINK_OPTIONS } from '../src/core/link-options.js'
import { ALERT_OPTIONS } from '../src/operate/alerts/alert-options.js'
import { PLANNER_OPTIONS } from '../src/planners/planner-options.js'
import { SCHEDULE_PLANNER_OPTIONS } from '../src/planners/schedule-planner.js'
import { WORKER_PLANNER_OPTIONS } from '../src/planners/worker-planner-options.js'

const root = resolve(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/options.md'), 'utf8')

const TABLES: { readonly [options: string]: AnySpec } = {
  LinkOptions: LINK_OPTIONS,
  LinkRetryOptions: LINK_RETRY_OPTIONS,
  DeadLetterOptions: DEAD_LETTER_OPTIONS,
  PlannerOptions: PLANNER_OPTIONS,
  AlertOptions: ALERT_OPTIONS,
  WorkerPlannerOptions: WORKER_PLANNER_OPTIONS,
  SchedulePlannerOptions: SCHEDULE_PLANNER_OPTIONS,
  BufferOptions: BUFFER_OPTIONS,
  DistinctOptions: DISTINCT_OPTIONS,
}

/** Names and defaults in the table of these options. */
function documented(options: string): [string, string][] {
  const [, table = ''] =
    new RegExp(`<!-- options: ${options}(?: only)? -->([^]*?)<!-- end of options -->`).exec(page) ?? []
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  return rows.map((row) => {
    const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('`', ''))
    return [cells[1] ?? '', cells[3] ?? '']
  })
}

for (const [options, table] of Object.entries(TABLES)) {
  t.test(options, async (t) => {
    const rows = documented(options)
    t.same(rows.map(([name]) => name).toSorted(), Object.keys(table).toSorted())
    for (const [name, shown] of rows) {
      const byDefault = (table[name]?.byDefault ?? '').replaceAll('`', '')
      t.ok(
        byDefault === '' ? shown === '' || shown.startsWith('undefined') : shown.startsWith(byDefault),
        `${name}: ${shown}`,
      )
    }
  })
}

t.test('no page is stale', async (t) => {
  t.equal(execFileSync(process.execPath, [join(root, 'docs/option-tables.js'), '--check'], { encoding: 'utf8' }), '')
})
