/** Stores that one Node writes and another goes on with: each has a SQLite of its own. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { isBuilt, MortalProgram } from '../helpers/durable-programs.js'
import { OTHER_NODES } from '../helpers/stores.js'

const skip = !isBuilt
  ? 'the package is not built'
  : OTHER_NODES.length === 0 && 'there is one Node: npm run test:delivery:nodes names others'

/** A link whose store has a cursor, a state and dead letters. */
const LINKS = `
class Numbers extends databay.Inlet {
  pull(update, cursor) {
    const from = cursor.value ?? 0
    cursor.advance(from + 3)
    return [from, from + 1, from + 2, 5]
  }
}
class Journal extends databay.Outlet {
  push(records) {
    const numbers = records.map(({ payload }) => payload)
    const place = numbers.findIndex((number) => number % 7 === 0)
    const rejected = place < 0 ? [] : [{ index: place, error: new databay.InvalidPayloadError('by seven') }]
    lines('numbers.txt', numbers.filter((_, at) => at !== place))
    if (place >= 0) throw new databay.PartialPushError('Journal', numbers.length - 1, rejected)
  }
}
onCommit((when) => { if (when === 'after' && ++commits === 3) at('third commit') })
let commits = 0
export const numbers = new databay.Link({
  delivery: 'cursor', interval: 0.02, inlets: new Numbers(), outlets: new Journal(),
  processors: new databay.Distinct({ by: (number) => number }),
})`

t.test('a store goes from one Node to another and back: cursor, states and dead letters', { skip }, async (t) => {
  const program = new MortalProgram(t.testdir(), LINKS)
  const turns = [process.execPath, ...OTHER_NODES, process.execPath, ...[...OTHER_NODES].reverse(), process.execPath]
  for (const node of turns) {
    const killed = await program.run({ POINT: 'third commit', TRANSFERS: '20', THREADS: '1' }, [], node)
    t.equal(killed.signal, 'SIGKILL', `${versionOf(node)} is killed: ${killed.log}`)
    const { code, log } = await program.run({ TRANSFERS: '4', THREADS: '1' }, [], node)
    t.equal(code, 0, `${versionOf(node)} goes on where it was killed, or where another ended: ${log}`)
  }
  const numbers = program.numbers('numbers.txt')
  const most = Math.max(...numbers)
  t.ok(most > 12 * turns.length, `${most} numbers`)
  const expected = Array.from({ length: most + 1 }, (_, number) => number).filter((number) => number % 7 !== 0)
  t.same(
    [...new Set(numbers)].sort((one, other) => one - other),
    expected,
  )
  t.ok(numbers.length - expected.length <= 4 * turns.length, 'at most one pull a kill came twice')
  t.equal(numbers.filter((number) => number === 5).length, 1, 'what Distinct knows is kept')
  for (const node of OTHER_NODES) {
    const list = execFileSync(node, [command, 'dead-letters', 'list', '--json', '--limit', '1000'], {
      cwd: program.folder,
      encoding: 'utf8',
    })
    t.ok(list.split('"by seven"').length > most / 7, `${versionOf(node)} lists dead letters of all`)
  }
})

const command = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

function versionOf(node: string): string {
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
}
