import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runShown } from './readme.js'

t.test('a configuration says how often links transfer, and its profile leaves one out', async (t) => {
  const folder = t.testdir()
  const [ended] = await runShown(t, 'A configuration file', { cwd: folder })
  t.match(ended?.stderr, /room_north +every 1\.5 min/)
  for (const name of ['north.txt', 'south.txt']) t.match(readFileSync(join(folder, name), 'utf8'), /^\d+\n$/)
})
