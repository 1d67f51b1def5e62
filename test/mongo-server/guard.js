/**
 * Runs a command for as long as standard input is open: so the command never outlives the test that started it. Variables of the
 * environment say more: `GUARD_USER` (`uid:gid`) as whom the command runs, `GUARD_SIGNAL` that ends it, and `GUARD_FOLDER` that
 * is removed then, unless a line on standard input has said `keep`.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'

const [command, ...args] = process.argv.slice(2)
const { GUARD_USER: user, GUARD_SIGNAL: signal = 'SIGKILL', GUARD_FOLDER: folder, ...env } = process.env
const [uid, gid] = user?.split(':').map(Number) ?? []
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env, ...(user && { uid, gid }) })
let isKept = false
let isOver = false
child.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
child.on('exit', (code) => {
  if (isOver && !isKept && folder) rmSync(folder, { recursive: true, force: true })
  process.exit(code ?? 1)
})
process.stdin
  .on('data', (said) => (isKept ||= String(said) === 'keep\n'))
  .on('end', () => {
    isOver = true
    child.kill(signal)
  })
