import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { Orders } from './orders.js'

/** The built program of the child, also for tests that run from the sources. */
const CHILD = join(fileURLToPath(import.meta.resolve('databay')), '../../test/delivery/oracle/child.js')

/** One life of the child process, from its start to its end. */
export class Life {
  readonly ended: Promise<void>
  /** Its log: lines of warnings and worse. */
  log = ''
  /** Number of threads that were lost in it. */
  lost = 0
  isStarted = false
  /** Exit code, if it ended by itself and by no signal. */
  code: number | undefined
  readonly #child: ChildProcess
  readonly #pid: number
  #isOver = false

  /** @param wrap - command that runs it, such as strace with its arguments */
  constructor(orders: Orders, wrap: readonly string[] = []) {
    const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
    const [file, ...args] = [...wrap, process.execPath, CHILD]
    // a group of its own, so that a command that runs it ends with it
    const child = spawn(file, args, {
      env: { ...env, ORACLE: JSON.stringify(orders) },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    })
    this.#child = child
    this.#pid = child.pid ?? 0
    child.stdin.on('error', () => undefined)
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.log += text
    })
    createInterface(child.stdout).on('line', (line) => {
      if (line === 'started') this.isStarted = true
      if (line === 'lost') this.lost++
    })
    this.ended = once(child, 'exit').then(([code]: unknown[]) => {
      this.#isOver = true
      if (typeof code === 'number') this.code = code
    })
  }

  /** Whether it has ended. */
  isOver(): boolean {
    return this.#isOver
  }

  /** Kills it, as with `kill -9`. */
  async kill(): Promise<void> {
    try {
      process.kill(-this.#pid, 'SIGKILL')
    } catch {
      // it has ended
    }
    await this.ended
  }

  /** Gives an order to its main thread. */
  order(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** Waits until something has come to pass, or it has ended. @returns whether it came to pass in time */
  async until(what: () => boolean, limit: number): Promise<boolean> {
    const end = Date.now() + limit
    while (Date.now() < end) {
      if (what()) return true
      if (this.#isOver) return false
      await wait(5)
    }
    return false
  }
}
