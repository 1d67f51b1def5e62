import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { check, type Subject, type Units } from '../measure.js'
import { ORIGINAL, VERSION } from './names.js'

// beside the sources: nothing compiles it
const SCRIPT = fileURLToPath(new URL('../../../bench/peers/original.py', import.meta.url))

/** What the original is to do. */
export interface Asked {
  readonly kind: 'noop' | 'primes' | 'records'
  /** The limit of the primes, or the number of records. */
  readonly size: number
  /** How many links transfer at once, each in a thread. */
  readonly threads: number
  /** What each transfer gives. */
  readonly sum: number
}

interface Answer {
  readonly rate: number
  readonly done: number
  readonly pushes: number
  readonly sum: number
}

/** The original, in a process of its own. */
export class Original {
  readonly #lines: AsyncIterator<string>
  readonly #process: ReturnType<typeof start>

  private constructor(process: ReturnType<typeof start>, lines: AsyncIterator<string>) {
    this.#process = process
    this.#lines = lines
  }

  /**
   * @param python - a command
   * @returns `undefined` when that is not there, or has no databay of the version
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

  async ask(asked: Asked, seconds: number): Promise<number> {
    this.#process.stdin.write(`${JSON.stringify({ ...asked, seconds })}\n`)
    const line = await this.#lines.next()
    if (line.done === true) throw new Error(`${ORIGINAL} has ended`)
    const answer = JSON.parse(line.value) as Answer
    check('pushes', answer.pushes, answer.done)
    check('sum', answer.sum, answer.done * asked.sum)
    return answer.rate
  }

  close(): void {
    this.#process.stdin.end()
  }
}

/** @param times - what one transfer counts as */
export function original(process: Original, name: string, units: Units, asked: Asked, times = 1): Subject {
  return {
    name,
    units,
    open: () => ({ sample: async (seconds) => ({ rate: (await process.ask(asked, seconds)) * times }) }),
  }
}

function start(python: string) {
  return spawn(python, [SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'] })
}
