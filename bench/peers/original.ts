import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { check, type Subject, type Units } from '../measure.js'
import { ORIGINAL, VERSION } from './names.js'

// in the sources: it is not compiled
const SCRIPT = fileURLToPath(new URL('../../../bench/peers/original.py', import.meta.url))

/** Work for databay 0.3.0. */
export interface Asked {
  readonly kind: 'noop' | 'primes' | 'records' | 'lines'
  /** Limit of the primes, or number of records. */
  readonly size: number
  /** Number of links that transfer at once, each in a thread. */
  readonly threads: number
  /** Result of each transfer. */
  readonly sum: number
  /** File to copy lines of, and the copy. */
  readonly from?: string
  readonly to?: string
}

interface Answer {
  readonly rate: number
  /** CPU time for each transfer, in microseconds. */
  readonly cpu: number
  readonly done: number
  readonly pushes: number
  readonly sum: number
}

/** databay 0.3.0 for Python, in a process of its own. */
export class Original {
  readonly #lines: AsyncIterator<string>
  readonly #process: ReturnType<typeof start>

  private constructor(process: ReturnType<typeof start>, lines: AsyncIterator<string>) {
    this.#process = process
    this.#lines = lines
  }

  /**
   * Starts the process.
   *
   * @param python - command of a Python
   * @returns `undefined` when there is no such Python, or it has no databay of this version
   */
  static async open(python: string): Promise<Original | undefined> {
    const process = start(python)
    const there = new Promise<boolean>((resolve) => {
      process.once('spawn', () => {
        resolve(true)
      })
      process.once('error', () => {
        resolve(false)
      })
    })
    if (!(await there)) return undefined
    const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]()
    const first = await lines.next()
    if (first.done !== true && (JSON.parse(first.value) as { version: string }).version === VERSION) {
      return new Original(process, lines)
    }
    process.kill()
    return undefined
  }

  async ask(asked: Asked, seconds: number): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify({ ...asked, seconds })}\n`)
    const line = await this.#lines.next()
    if (line.done === true) throw new Error(`${ORIGINAL} has ended`)
    const answer = JSON.parse(line.value) as Answer
    check('pushes', answer.pushes, answer.done)
    check('sum', answer.sum, answer.done * asked.sum)
    return answer
  }

  close(): void {
    this.#process.stdin.end()
  }
}

/** Subject: databay 0.3.0; each transfer counts `times`. */
export function original(process: Original, name: string, units: Units, asked: Asked, times = 1): Subject {
  return {
    name,
    units,
    open: () => ({
      async sample(seconds) {
        const { rate, cpu } = await process.ask(asked, seconds)
        return { rate: rate * times, cpu: cpu / times }
      },
    }),
  }
}

function start(python: string) {
  return spawn(python, [SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'] })
}
