import type { ChildProcess, ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { listen } from './servers.js'

/**
 * Reads the first line that a program prints.
 *
 * @param within - time to wait for the line, in milliseconds
 * @throws when the program ends before, or prints no line in time; the error holds its standard error
 */
export async function firstLine(
  child: ChildProcessByStdio<Writable | null, Readable, Readable>,
  within = 20_000,
): Promise<string> {
  // read to the end, as a full pipe would hold the program up
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-2000)
  })
  const lines = createInterface(child.stdout)
  const failed = (how: string) => new Error(`${child.spawnfile} ${how}: ${said.trim()}`)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(failed(`printed no line within ${within} ms`)), within)
  })
  const ended = once(child, 'close').then(() => {
    throw failed('ended before it printed a line')
  })
  try {
    const [line] = await Promise.race([once(lines, 'line') as Promise<[string]>, ended, late])
    return line.trim()
  } finally {
    clearTimeout(timer)
    child.stdout.resume()
  }
}

/** Ends a program that runs as long as its standard input is open. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.stdin?.end()
  await exited
}

/** Finds a port of loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  await once(server, 'close')
  return port
}
