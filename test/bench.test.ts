import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const schedule = join(resolve(import.meta.dirname, '..'), 'dist/bench/schedule.js')
const run = promisify(execFile)

t.test('schedule: counts every tick of every link', async (t) => {
  const args = ['--links', '20', '--interval', '0.2', '--warmup', '0.4', '--seconds', '1', '--threads', '1', '--json']
  const { stdout } = await run(process.execPath, [schedule, ...args])
  const { links, expected, transfers, complete, latenessMs } = JSON.parse(stdout) as {
    links: number
    expected: number
    transfers: number
    complete: boolean
    latenessMs: { p99: number }
  }
  t.equal(links, 20)
  t.equal(expected, 20 * 7)
  t.ok(transfers >= expected, `${transfers} transfers`)
  t.equal(complete, true)
  t.ok(latenessMs.p99 > 0)
})

t.test('schedule: refuses what is no number', async (t) => {
  await t.rejects(run(process.execPath, [schedule, '--links', 'many']), {
    code: 1,
    stderr: /--links: expected a number/,
  })
})
