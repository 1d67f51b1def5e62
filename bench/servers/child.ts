import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Program that serves until it is told to stop. */
export interface Serving {
  /** First line that it printed: where it serves. */
  readonly said: string
  readonly close: () => Promise<void>
}

/** Starts a program that prints one line when it serves, and ends when its standard input does. */
export async function serve(command: string, args: readonly string[]): Promise<Serving> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(child, 'close')
  const lines = createInterface(child.stdout)
  const [said] = (await Promise.race([
    once(lines, 'line'),
    ended.then(() => Promise.reject(new Error(`${command} ended before it served`))),
  ])) as [string]
  child.stdout.resume()
  return {
    said: said.trim(),
    async close() {
      child.stdin.end()
      await ended
    },
  }
}
