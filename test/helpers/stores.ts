/** Opens stores with each library of SQLite that this Node has, and runs programs on them in processes of their own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'
import type { DriverName } from '../../src/store/driver.js'

/** Libraries of SQLite that this Node can load. */
export const DRIVERS: readonly DriverName[] = isBuiltin('node:sqlite') ? ['node:sqlite', 'libsql'] : ['libsql']

/** Further Nodes to test with, as paths with a colon between: `TEST_NODES=/opt/node-24/bin/node`. */
export const OTHER_NODES: readonly string[] = (process.env['TEST_NODES'] ?? '').split(':').filter((path) => path !== '')

const built = resolve(import.meta.dirname, '../../dist/src/store')

/** Whether the package is built: programs run what is built. */
export const isBuilt = existsSync(`${built}/store.js`)

/** URL of a built file of the store. */
export function builtStore(file: string): string {
  return pathToFileURL(`${built}/${file}`).href
}

/** A program that runs in a process of its own, and prints a JSON value a line. */
export class StoreProgram {
  readonly lines: unknown[] = []
  stderr = ''
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  readonly #child
  readonly #printed = new Set<() => void>()
  #isOver = false

  /**
   * @param code - of a module; `say(value)` prints, `ownStore` and `openStore` are there, `folder` is the one that is given
   * @param options - `node`: which Node; `wrap`: command that runs it, such as strace with its arguments
   */
  constructor(t: Test, folder: string, code: string, options: { node?: string; wrap?: readonly string[] } = {}) {
    const { node = process.execPath, wrap = [] } = options
    const head = `
      import { ownStore, openStore } from '${builtStore('store.js')}'
      import { writeSync } from 'node:fs'
      const folder = ${JSON.stringify(folder)}
      const say = (value) => writeSync(1, JSON.stringify(value) + '\\n')
    `
    const [file, ...before] = wrap
    const args = ['--input-type=module', '-e', head + code]
    const { NODE_OPTIONS: _options, ...env } = process.env
    const stdio: ['pipe', 'pipe', 'pipe'] = ['pipe', 'pipe', 'pipe']
    this.#child =
      file === undefined ? spawn(node, args, { env, stdio }) : spawn(file, [...before, node, ...args], { env, stdio })
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line))
      for (const call of this.#printed) call()
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#isOver = true
      for (const call of this.#printed) call()
      return { code: code as number | null, signal: signal as NodeJS.Signals | null }
    })
    t.teardown(() => this.#child.kill('SIGKILL'))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Waits until so many lines are printed, or the program has ended. */
  async until(count: number): Promise<void> {
    while (this.lines.length < count && !this.#isOver) {
      await new Promise<void>((resolve) => {
        const call = () => {
          this.#printed.delete(call)
          resolve()
        }
        this.#printed.add(call)
      })
    }
  }

  /** Writes to its standard input, and ends that. */
  write(text: string): void {
    this.#child.stdin.end(text)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }
}
