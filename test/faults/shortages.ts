import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, type Scenario } from './scenario.js'

/** Most file descriptors of the process that is short of them. */
const LIMIT = 512

/**
 * Scenario: all file descriptors are taken as nodes start, transfer, and lose their thread. When they are free again, all goes on.
 *
 * @param where - where the links live
 * @param left - number of descriptors that are not taken
 */
export function shortage(where: 'threads' | 'main', left: number): Scenario {
  return {
    name: `${left === 0 ? 'no' : left} descriptors are left (${where})`,
    async run() {
      const held = await runShort(where, left)
      expect(held.startsWith('right: '), held)
      return { held: held.slice('right: '.length) }
    },
  }
}

/**
 * Runs `shortage.ts` in a process with few descriptors; gives what it printed.
 *
 * @param mongo - URL of a server of MongoDB
 */
export function runShort(where: 'threads' | 'main', left: number, mongo = ''): Promise<string> {
  const program = fileURLToPath(new URL('shortage.js', import.meta.url))
  const command = `ulimit -n ${LIMIT}; exec "$0" "$@"`
  const { NODE_OPTIONS: _options, ...inherited } = process.env
  const env = { ...inherited, MONGODB: mongo }
  return new Promise((resolve) => {
    const args = ['-c', command, process.execPath, program, where, String(left)]
    execFile('sh', args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve(stdout.trim() || stderr.trim() || (error?.message ?? 'it printed nothing'))
    })
  })
}
