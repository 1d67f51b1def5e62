import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import path from 'node:path'
import type { Test } from 'tap'

/**
 * Runs a group of fault scenarios in a program of its own, as it is built: the time to recover is part of what is
 * promised, and with the preloads of the tests each thread would start more slowly.
 *
 * @param scenarios - number of scenarios in the group at least
 */
export async function runFaults(t: Test, group: string, scenarios: number, args: readonly string[] = []) {
  const main = path.join(import.meta.dirname, '../../dist/test/faults/main.js')
  const child = spawn(process.execPath, [main, '--json', '--slack', '--group', group, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill())
  const closed = once(child, 'close')
  let rows = 0
  for await (const line of createInterface(child.stdout)) {
    const { fault, ok, held, recovery } = JSON.parse(line) as {
      fault: string
      ok: boolean
      held: string
      recovery?: number
    }
    rows++
    t.ok(ok, `${fault}: ${held}`)
    t.comment(`${fault.padEnd(50)} ${recovery === undefined ? '' : `${recovery} ms`}  ${held}`)
  }
  t.same(await closed, [0, null])
  t.ok(rows >= scenarios, `${rows} scenarios ran`)
}
