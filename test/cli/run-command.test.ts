import t from 'tap'
import { databay } from '../../src/cli/databay.js'
import { runCommand } from '../../src/cli/run-command.js'
import { fakeSurroundings, words } from '../helpers/command.js'

t.test('the command ends with the exit code of its command line', async (t) => {
  t.same(await databay(fakeSurroundings(['--version'])), { code: 0, signal: undefined })
  t.same(await databay(fakeSurroundings(['run'])), { code: 2, signal: undefined })
})

t.test('it leaves streams and signals as they were', async (t) => {
  const surroundings = fakeSurroundings(words('run --threads 1 --once rare.mjs'), { columns: 80 })
  t.same(await databay(surroundings), { code: 0, signal: undefined })
  const { signals, stdout, stderr } = surroundings
  t.same([...signals.eventNames(), ...stdout.eventNames(), ...stderr.eventNames()], [])
  t.notOk(Object.hasOwn(stderr, 'write'))
})

t.test('what the planner finds wrong with its options are bad arguments', async (t) => {
  const surroundings = fakeSurroundings([])
  const ending = await runCommand(
    {
      command: 'run',
      modules: ['https://some.test/links.js'],
      threads: 1,
      transfersPerThread: 1,
      once: false,
      transfers: 1,
      ignoreExceptions: false,
      immediateTransfer: true,
      logLevel: undefined,
      json: false,
      watch: false,
      watchPaths: [],
    },
    surroundings,
  )
  t.same(ending, { code: 2, signal: undefined })
  t.match(surroundings.stderr.text, /^databay: links\[0\]: expected a path or a file: URL of a link module, got /)
})
