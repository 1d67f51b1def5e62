/** What `Distinct` knows moves along with its link, also what is on its way in a buffer. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { captureLogs } from '../helpers/logs.js'
import { fixture, workerPlanner } from '../helpers/threads.js'

/** Starts a planner with a link that reads a feed; `threshold` is that of its buffer, 0 for none. */
async function start(t: Test, threshold: number) {
  captureLogs(t, 'silent')
  const folder = t.testdir({ feed: '', refuse: '' })
  const module = fixture('distinct-feed.ts')
  module.searchParams.set('folder', folder)
  module.searchParams.set('threshold', String(threshold))
  const planner = workerPlanner(t, module, { threads: 1 })
  await planner.start()
  const out = `${folder}/out`
  return {
    planner,
    /** Has the feed show so many lines, and makes a transfer. */
    transfer: (lines: number, refuse = false) => {
      writeFileSync(`${folder}/feed`, Array.from({ length: lines }, (_, line) => `${line}\n`).join(''))
      writeFileSync(`${folder}/refuse`, refuse ? 'yes' : 'no')
      return planner.forceTransfer()
    },
    move: async (how: 'recycle' | 'reload') => {
      if (how === 'recycle') await planner.recycle()
      else await planner.reload(module)
    },
    written: () => (existsSync(out) ? readFileSync(out, 'utf8').split('\n').slice(0, -1).map(Number) : []),
  }
}

for (const how of ['recycle', 'reload'] as const) {
  t.test(`${how}: what was delivered does not come again, what was not does`, async (t) => {
    const { transfer, move, written } = await start(t, 0)
    await transfer(2)
    await move(how)
    await transfer(3, true)
    t.same(written(), [0, 1])
    await move(how)
    await transfer(3)
    await move(how)
    await transfer(4)
    t.same(written(), [0, 1, 2, 3])
  })

  t.test(`${how}: what a buffer holds is on its way there, too`, async (t) => {
    const { planner, transfer, move, written } = await start(t, 3)
    await transfer(2)
    await move(how)
    await transfer(2)
    t.same(written(), [], 'no line is in the buffer twice')
    await move(how)
    await transfer(3, true)
    t.same(written(), [], 'the buffer let go of all, and the outlet refused it')
    await move(how)
    await transfer(4)
    t.same(written(), [0, 1, 2, 3])
    await transfer(5)
    await move(how)
    await transfer(5)
    await planner.shutdown()
    t.same(written(), [0, 1, 2, 3, 4])
  })
}
