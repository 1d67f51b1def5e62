import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run, runShown } from './readme.js'

t.test('what is refused is listed, and delivered once it is mended', async (t) => {
  const cwd = t.testdir()
  await runShown(t, 'A poison record', { cwd })
  const ids = readFileSync(join(cwd, 'invoices.jsonl'), 'utf8').match(/(?<="id":)\d/g)
  t.same(ids, ['1', '2', '4', '6', '3', '5'], 'in order, and those that were mended behind newer ones')
  t.equal((await run(t, 'npx databay dead-letters list', { cwd })).stdout, 'no dead letters\n')
})

t.test('what is refused again stays a dead letter, with one more try', async (t) => {
  const cwd = t.testdir()
  const once = 'npx databay run dist/examples/poison-record.js --once --store ./.databay'
  t.equal((await run(t, once, { cwd })).code, 0)
  await run(t, 'npx databay dead-letters replay --id 2', { cwd })
  t.equal((await run(t, once, { cwd })).code, 0)
  const { stdout } = await run(t, 'npx databay dead-letters list --json', { cwd })
  const letters = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number; attempts: number; replay: boolean })
  t.match(letters, [
    { id: 1, replay: false },
    { id: 2, replay: false },
  ])
  t.ok((letters[1]?.attempts ?? 0) > (letters[0]?.attempts ?? 0))
})
