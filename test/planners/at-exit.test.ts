import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { MEASURED } from '../helpers/command.js'
import { handPlanner, tracedLink } from '../helpers/planners.js'

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Lines that the process wrote from the first signal on. */
  readonly lines: string[]
  /** What it wrote to standard error. */
  readonly stderr: string
}

// runs the build: `npm test` builds first
const fixture = fileURLToPath(new URL('../fixtures/at-exit.mjs', import.meta.url))

/**
 * Runs a scenario of the fixture, and sends the first signal when it is ready, then the second: again and again until it has
 * ended, or once, so many milliseconds `after` the first.
 */
function run(t: Test, scenario: string, first?: NodeJS.Signals, second?: NodeJS.Signals, after?: number) {
  return ended(
    t,
    [process.execPath, fixture, scenario],
    measuredOnce(`${scenario} ${second !== undefined}`),
    (child) => {
      child.kill(first)
      if (second === undefined) return
      const again = () => child.kill(second)
      const timer = after === undefined ? setInterval(again, 100) : setTimeout(again, after)
      child.once('close', () => {
        clearTimeout(timer)
      })
    },
  )
}

/** Environment variables that have coverage measured the first time that something is run. */
function measuredOnce(what: string): NodeJS.ProcessEnv {
  if (measured.has(what)) return {}
  measured.add(what)
  return MEASURED
}

const measured = new Set<string>()

/** Runs a command that runs the fixture, in a process group of its own, and calls back when it is ready. */
function ended(
  t: Test,
  argv: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  onReady: (child: ChildProcess) => void,
): Promise<Ended> {
  const [file, ...args] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      detached: true,
    })
    t.teardown(() => child.kill('SIGKILL'))
    let [stdout, stderr] = ['', '']
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const wasReady = stdout.includes('ready\n')
      stdout += text
      if (!wasReady && stdout.includes('ready\n')) onReady(child)
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const lines = stdout.trimEnd().split('\n')
      resolve({ code, signal, lines: lines.slice(lines.indexOf('ready') + 1), stderr })
    })
  })
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  t.test(`at ${signal} the planner shuts down, and the process ends by the signal`, async (t) => {
    t.match(await run(t, 'planner', signal), { code: null, signal, lines: ['a out stops', 'a in stops'] })
  })
}

t.test('without the option a signal ends the process as ever', async (t) => {
  t.match(await run(t, 'planner without the option', 'SIGTERM'), { signal: 'SIGTERM', lines: [] })
})

t.test('transfers that run may end first', async (t) => {
  const { signal, lines } = await run(t, 'running transfer', 'SIGTERM')
  t.equal(signal, 'SIGTERM')
  t.strictSame(lines.slice(-3), ['written', 'a out stops', 'a in stops'])
})

t.test('a signal more than a second later ends the process at once, which the log tells', async (t) => {
  for (const second of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    const { signal, lines, stderr } = await run(t, 'transfer without end', 'SIGTERM', second)
    t.equal(signal, second)
    t.notOk(lines.includes('a in stops'))
    t.equal(stderr.split(`${second} once more: the process ends at once`).length, 2, 'once')
  }
})

t.test('a signal within a second of the first is the same wish', async (t) => {
  for (const [first, second, after] of [
    ['SIGTERM', 'SIGTERM', 5],
    ['SIGINT', 'SIGINT', 0],
    ['SIGINT', 'SIGTERM', 20],
    ['SIGHUP', 'SIGTERM', 50],
    ['SIGTERM', 'SIGHUP', 100],
  ] as const) {
    const { signal, lines, stderr } = await run(t, 'running transfer', first, second, after)
    t.equal(signal, first)
    t.strictSame(lines.slice(-3), ['written', 'a out stops', 'a in stops'], `${first}, ${second}`)
    t.equal(stderr, '')
  }
})

t.test('so it is when the shutdown holds up the event loop for longer than a second', async (t) => {
  const { signal, lines } = await run(t, 'slow start of the shutdown', 'SIGTERM', 'SIGTERM', 100)
  t.equal(signal, 'SIGTERM')
  t.equal(lines.at(-1), 'closed')
})

t.test('so it is in a process group whose shell passes signals on', async (t) => {
  const script = `trap 'kill -TERM $child' TERM; "$0" "$@" & child=$!; wait $child; wait $child; exit $?`
  const argv = ['bash', '-c', script, process.execPath, fixture, 'running transfer'] as const
  const { code, lines } = await ended(t, [...argv], {}, ({ pid = 0 }) => process.kill(-pid, 'SIGTERM'))
  t.equal(code, 143)
  t.strictSame(lines.slice(-3), ['written', 'a out stops', 'a in stops'])
})

t.test('two planners take signals in a moment for the same wish', async (t) => {
  const { signal, lines } = await run(t, 'two planners', 'SIGTERM', 'SIGINT', 20)
  t.equal(signal, 'SIGTERM')
  t.equal(lines.at(-1), 'closed')
})

t.test('a signal does not cut short the shutdown of a process that has nothing left to do', async (t) => {
  const { signal, lines } = await run(t, 'nothing left to do, and a slow shutdown', 'SIGTERM', 'SIGTERM', 5)
  t.equal(signal, 'SIGTERM')
  t.strictSame(lines, ['closed'])
})

t.test('the process ends when the last of its planners has shut down', async (t) => {
  const { signal, lines } = await run(t, 'two planners', 'SIGTERM')
  t.equal(signal, 'SIGTERM')
  t.ok(lines.includes('quick in stops'))
  t.equal(lines.at(-1), 'closed')
})

t.test('a second signal ends two planners at once', async (t) => {
  const { signal, lines } = await run(t, 'two planners, one without end', 'SIGTERM', 'SIGTERM')
  t.equal(signal, 'SIGTERM')
  t.notOk(lines.includes('slow out stops') && lines.includes('closed'))
})

t.test('a planner that starts shuts down what it has started', async (t) => {
  const { signal, lines } = await run(t, 'planner that starts', 'SIGTERM')
  t.equal(signal, 'SIGTERM')
  t.ok(lines.includes('a in stops'))
})

t.test('a planner that shuts down anyway does so to the end', async (t) => {
  const { signal, lines } = await run(t, 'planner that shuts down', 'SIGTERM')
  t.equal(signal, 'SIGTERM')
  t.equal(lines.at(-1), 'closed')
})

t.test('a node that fails to shut down does not keep the process', async (t) => {
  const { signal, lines } = await run(t, 'node that would not close', 'SIGTERM')
  t.equal(signal, 'SIGTERM')
  t.ok(lines.includes('b in stops'))
})

t.test('another who handles the signal is told again when the planner has shut down, and decides', async (t) => {
  t.match(await run(t, 'handler of its own', 'SIGTERM'), {
    code: 3,
    signal: null,
    lines: ['told', 'a out stops', 'a in stops', 'told'],
  })
})

t.test('when nothing is left to do the planner shuts down, and the process ends well', async (t) => {
  t.match(await run(t, 'nothing left to do'), { code: 0, signal: null })
  t.strictSame((await run(t, 'nothing left to do')).lines.slice(-3), ['a out stops', 'a in stops', 'finished'])
})

t.test('what fails then is told by the promise of the end', async (t) => {
  const { lines } = await run(t, 'nothing left to do, and a node that would not close')
  t.equal(lines.at(-1), 'Error: would not close')
})

t.test('handlers are there only while a planner runs', async (t) => {
  const count = () =>
    (['SIGINT', 'SIGTERM', 'SIGHUP', 'beforeExit'] as const).map((event) =>
      process.listenerCount(event as NodeJS.Signals),
    )
  const before = count()
  const planner = handPlanner(t, tracedLink('a'), { shutdownAtExit: true })
  t.strictSame(count(), before)
  for (let round = 0; round < 2; round++) {
    await planner.start()
    t.strictSame(
      count(),
      before.map((handlers) => handlers + 1),
    )
    await planner.shutdown()
    t.strictSame(count(), before)
  }
  const broken = handPlanner(t, tracedLink('b', [], { onStart: () => Promise.reject(new Error('no')) }), {
    shutdownAtExit: true,
  })
  await t.rejects(broken.start())
  t.strictSame(count(), before, 'nor after a start that failed')
})
