/**
 * Runs a command for as long as standard input is open: so the command never outlives the test that started it. Two
 * variables of the environment say more: `GUARD_USER` (`uid:gid`) as whom the command runs, and `GUARD_SIGNAL` that ends it.
 */
import { spawn } from 'node:child_process'

const [command, ...args] = process.argv.slice(2)
const { GUARD_USER: user, GUARD_SIGNAL: signal = 'SIGKILL', ...env } = process.env
const [uid, gid] = user?.split(':').map(Number) ?? []
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env, ...(user && { uid, gid }) })
child.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
child.on('exit', (code) => process.exit(code ?? 1))
process.stdin.on('end', () => child.kill(signal)).resume()
