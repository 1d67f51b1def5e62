import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { MAIN } from '../helpers/command.js'

const example = resolve(import.meta.dirname, '../../dist/examples/outage')

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** Runs a program, until it is ended, and collects what it prints. */
function program(t: Test, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
  const { NODE_OPTIONS: _options, ...own } = process.env
  const child = spawn(process.execPath, [...args], { cwd, env: { ...own, ...env } })
  const printed = { text: '' }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (printed.text += String(data)))
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    if (isRunning(child)) await once(child, 'exit')
  }
  t.teardown(() => end('SIGKILL'))
  const says = async (pattern: RegExp) => {
    for (let look = 0; look < 600 && !pattern.test(printed.text); look++) await wait(50)
    t.match(printed.text, pattern)
  }
  return { end, says, printed }
}

const isRunning = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null

t.test('a warehouse that was down for a while gets all readings, and none twice', async (t) => {
  const folder = t.testdir()
  const port = String(await freePort())
  const warehouse = () => program(t, [resolve(example, 'warehouse.js'), port], folder)
  const first = warehouse()
  const args = [MAIN, 'run', resolve(example, 'links.js'), '--store', './.databay']
  const run = program(t, args, folder, { WAREHOUSE_URL: `http://127.0.0.1:${port}` })
  await first.says(/1 readings; 0 missing, 0 twice/)
  await first.end('SIGKILL')
  await run.says(/readings is blocked, and tried again until it is not: WarehouseOutlet failed to push/)
  await wait(2000)
  const second = warehouse()
  await second.says(/[2-9] readings; 0 missing, 0 twice/)
  await run.end('SIGTERM')
  t.notMatch(second.printed.text, /[1-9]\d* (missing|twice)/)
})
