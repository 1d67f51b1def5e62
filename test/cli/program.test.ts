import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { LinkSelection } from '../../src/core/link-selection.js'
import { parseCommandLine } from '../../src/cli/program.js'
import { cliFixture, FakeStream, words } from '../helpers/command.js'

function parse(line: string) {
  const output = { stdout: new FakeStream(), stderr: new FakeStream() }
  return { parsed: parseCommandLine(words(line), output), stdout: output.stdout.text, stderr: output.stderr.text }
}

const ticks = pathToFileURL(cliFixture('ticks.mjs')).href

t.test('without options the library decides', async (t) => {
  t.strictSame(parse('run ticks.mjs').parsed, {
    command: 'run',
    modules: [ticks],
    selection: new LinkSelection([], []),
    planner: {},
    ignoreExceptions: false,
    quiet: false,
    color: true,
    once: false,
    logLevel: undefined,
    json: false,
    watch: false,
    watchPath: [],
  })
})

t.test('options are taken, before and after the modules', async (t) => {
  const line =
    'run --threads 3 --transfers-per-thread=7 ticks.mjs rare.mjs --transfers 5 --ignore-exceptions --no-immediate-transfer --log-level info --json --quiet --no-color --link a --link b --tag c'
  t.strictSame(parse(line).parsed, {
    command: 'run',
    modules: [ticks, pathToFileURL(cliFixture('rare.mjs')).href],
    selection: new LinkSelection(['a', 'b'], ['c']),
    planner: { threads: 3, transfersPerThread: 7, transfers: 5, immediateTransfer: false },
    ignoreExceptions: true,
    quiet: true,
    color: false,
    once: false,
    logLevel: 'info',
    json: true,
    watch: false,
    watchPath: [],
  })
  t.match(parse('run --stop-on-error ticks.mjs').parsed, { planner: { ignoreExceptions: false } })
  t.match(parse('run --once ticks.mjs').parsed, { once: true, planner: { transfers: 1 } })
})

t.test('tune has defaults of its own', async (t) => {
  const defaults = { seconds: 5, push: false, json: false, color: true, logLevel: 'silent' }
  t.strictSame(parse('tune ticks.mjs').parsed, { ...defaults, command: 'tune', modules: [ticks] })
  t.strictSame(
    parse('tune --threads 1,2 --transfers-per-thread 10 --seconds .5 --push --json --log-level warn ticks.mjs').parsed,
    {
      command: 'tune',
      modules: [ticks],
      threads: [1, 2],
      transfersPerThread: [10],
      seconds: 0.5,
      push: true,
      json: true,
      color: true,
      logLevel: 'warn',
    },
  )
})

t.test('a bad command line has exit code 2 and one line that says what is wrong', async (t) => {
  const lines = {
    'run --threads 0 ticks.mjs': "databay: --threads: expected an integer of at least 1, got '0'\n",
    'run --threads -1 ticks.mjs': "databay: --threads: expected an integer of at least 1, got '-1'\n",
    'run ticks.mjs --transfers two': "databay: --transfers: expected an integer of at least 1, got 'two'\n",
    'run --transfers-per-thread 1.5 ticks.mjs':
      "databay: --transfers-per-thread: expected an integer of at least 1, got '1.5'\n",
    'run ticks.mjs --threads': "databay: option '--threads <n>' argument missing\n",
    'run --log-level loud ticks.mjs':
      "databay: --log-level: expected one of trace, debug, info, warn, error, fatal, silent, got 'loud'\n",
    'run --once --transfers 2 ticks.mjs': "databay: option '--once' cannot be used with option '--transfers <n>'\n",
    'run ./none.mjs': "databay: <link-module>: expected a link module that exists, got './none.mjs'\n",
    'run --fast ticks.mjs': "databay: unknown option '--fast'\n",
    fly: "databay: unknown command 'fly'\n",
  }
  for (const [line, expected] of Object.entries(lines)) {
    t.strictSame(parse(line), { parsed: 2, stdout: '', stderr: expected }, line)
  }
  t.match(parse('run ticks.mjs ticks.mjs'), {
    parsed: 2,
    stderr: /^databay: <link-module>: expected each link module once, got /,
  })
  t.match(parse('run --watch --once ticks.mjs').stderr, /'--watch' cannot be used with option '--once'/)
  t.match(parse('run --watch-path ./none ticks.mjs').stderr, /^databay: --watch-path: expected a file or folder that /)
  t.match(parse('run --watch-path src --watch-path test ticks.mjs').parsed, {
    watch: true,
    watchPath: ['src', 'test'],
  })
  t.match(parse('run --thread 1 ticks.mjs').stderr, /Did you mean --threads\?/)
  const escape = String.fromCharCode(27)
  t.equal(parse(`fl${escape}[2Jy`).stderr, "databay: unknown command 'fl\\x1b[2Jy'\n", 'as escapes')
  t.equal(parse(`run --fa${escape}[2Jst`).stderr, "databay: unknown option '--fa\\x1b[2Jst'\n")
})

t.test('without a command the help is shown as an error', async (t) => {
  t.match(parse(''), { parsed: 2, stdout: '', stderr: /^Usage: databay .*Next steps:\n {2}databay create /s })
})

t.test('--help and --version are answered on standard output', async (t) => {
  t.match(parse('--help'), { parsed: 0, stdout: /Usage: databay .*run \[options\] \[link-module\.\.\.\]/s, stderr: '' })
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  t.strictSame(parse('--version'), { parsed: 0, stdout: `${manifest.version}\n`, stderr: '' })
})

t.test('the help of run tells options, signals and exit codes', async (t) => {
  const { parsed, stdout } = parse('run --help')
  t.equal(parsed, 0)
  for (const text of [
    '--threads <n>',
    '--transfers-per-thread <n>',
    '--once',
    '--transfers <n>',
    '--stop-on-error',
    '--link <id>',
    '--tag <tag>',
    '--watch',
    '--watch-path <path>',
  ]) {
    t.match(stdout, text)
  }
  for (const text of ['--no-immediate-transfer', '--log-level <level>', '--json', 'SIGTERM', 'Exit code: 0']) {
    t.match(stdout, text)
  }
})

t.test('each command has a help with examples', async (t) => {
  for (const command of ['run', 'check', 'list', 'tune', 'create']) {
    const { parsed, stdout } = parse(`${command} --help`)
    t.equal(parsed, 0)
    t.match(stdout, new RegExp(`Exit code: 0[^]*Examples:\n  databay ${command} `), command)
  }
})
