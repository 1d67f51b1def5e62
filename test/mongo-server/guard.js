/** Runs a command for as long as standard input is open: so the command never outlives the test that started it. */
import { spawn } from 'node:child_process'

const [command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
child.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
child.on('exit', (code) => process.exit(code ?? 1))
process.stdin.on('end', () => child.kill('SIGKILL')).resume()
