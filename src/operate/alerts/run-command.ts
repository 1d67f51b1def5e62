import { spawn } from 'node:child_process'
import { basename } from 'node:path'
import { environmentWith } from '../../base/environment.js'
import { scrub } from '../../base/scrub.js'
import { AlertError } from './alert-error.js'
import type { AlertMessage } from './alert-message.js'

/** Most characters of the standard error of a program that are kept, and that are shown. */
const KEPT = 10_000
const SHOWN = 500

/** Most characters of the names of links in the environment: of one variable, Linux takes 128 KiB. */
const LONGEST_NAMES = 32_000

/**
 * Runs a program with a message on its standard input, and waits for its end.
 *
 * @param signal - kills the program when it aborts
 * @throws {@link AlertError} when it cannot be started, or fails
 */
export function runCommand(
  [file, ...args]: readonly [string, ...string[]],
  message: AlertMessage,
  signal: AbortSignal,
): Promise<void> {
  const name = basename(file)
  const env = environmentWith({
    DATABAY_ALERT_STATUS: message.status,
    DATABAY_ALERT_TEXT: message.text.replaceAll('\0', ''),
    DATABAY_ALERT_LINKS: namesOf(message).replaceAll('\0', ''),
  })
  return new Promise((resolve, reject) => {
    // a group of its own, so that what a script has started is killed with it; Windows has no groups
    const detached = process.platform !== 'win32'
    const child = spawn(file, args, { env, stdio: ['pipe', 'ignore', 'pipe'], windowsHide: true, detached })
    const kill = () => {
      if (!detached || child.pid === undefined) child.kill('SIGKILL')
      else killGroup(child.pid)
    }
    const settle = (error?: Error) => {
      signal.removeEventListener('abort', kill)
      // a program that it has started may still hold them
      child.stderr.destroy()
      if (error === undefined) resolve()
      else reject(error)
    }
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-KEPT)
    })
    child.stdin.on('error', () => undefined) // it need not read the message
    child.once('error', (error) => {
      settle(new AlertError(`${name} cannot be run: ${error.message}`, { retryable: false }))
    })
    child.once('exit', (code, killedBy) => {
      if (code === 0) {
        settle()
        return
      }
      const how = killedBy === null ? `ended with ${code}` : `was ended by ${killedBy}`
      // before it is cut: a part of a secret would not be known
      const shown = scrub(said).slice(-SHOWN).trim()
      settle(new AlertError(`${name} ${how}${shown === '' ? '' : `: ${shown}`}`))
    })
    signal.addEventListener('abort', kill, { once: true })
    if (signal.aborted) kill()
    child.stdin.end(JSON.stringify(message))
  })
}

/** Names of the links of a message, as many as there is room for. The message on standard input has all of them. */
function namesOf({ alerts }: AlertMessage): string {
  let names = ''
  for (const { link } of alerts) {
    if (link === undefined) continue
    if (names.length + link.length >= LONGEST_NAMES) break
    names += `${names === '' ? '' : ' '}${link}`
  }
  return names
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended meanwhile
  }
}
