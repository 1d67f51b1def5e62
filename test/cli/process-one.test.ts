/** The command and planners as the process 1 of a container, which the kernel spares signals that it does not listen to. */
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { cliFixture, MAIN } from '../helpers/command.js'

/** Makes what follows the process 1 of a namespace of its own. */
const UNSHARE = ['--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child']
const fixture = fileURLToPath(new URL('../fixtures/at-exit.mjs', import.meta.url))

const skip = canUnshare() ? false : 'namespaces of processes cannot be made here'

function canUnshare(): boolean {
  try {
    execFileSync('unshare', [...UNSHARE, 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Runs Node as process 1, and sends SIGTERM when it is ready, and more than a second later again if `twice` says so. */
async function terminated(t: Test, args: readonly string[], ready: string, twice = false) {
  const { NODE_OPTIONS: _options, ...env } = process.env
  const child = spawn('unshare', [...UNSHARE, process.execPath, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (output.includes(ready)) resolve()
      })
    }
  })
  const one = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'))
  process.kill(one, 'SIGTERM')
  if (twice) {
    await wait(1300)
    process.kill(one, 'SIGTERM')
  }
  return { code: await ended, output }
}

t.test('the command stops in order at SIGTERM', { skip }, async (t) => {
  const args = [MAIN, 'run', cliFixture('ticks.mjs'), '--threads', '1']
  const { code, output } = await terminated(t, args, 'started')
  t.equal(code, 0)
  t.match(output, 'draining buffers')
})

t.test('the command stops at once at a later SIGTERM', { skip }, async (t) => {
  const args = [MAIN, 'run', cliFixture('hanging.mjs'), '--threads', '1']
  t.equal((await terminated(t, args, 'started', true)).code, 143)
})

t.test(
  'a planner with shutdownAtExit shuts down, and the process ends with the code of the signal',
  { skip },
  async (t) => {
    const { code, output } = await terminated(t, [fixture, 'planner'], 'ready')
    t.equal(code, 143)
    t.match(output, 'a in stops')
  },
)

t.test('at a later signal the process ends at once', { skip }, async (t) => {
  const { code, output } = await terminated(t, [fixture, 'transfer without end'], 'ready', true)
  t.equal(code, 143)
  t.match(output, 'once more: the process ends at once')
})
