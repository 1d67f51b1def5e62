/** Runs programs with durable links in processes of their own, and kills them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const index = resolve(import.meta.dirname, '../../dist/src/index.js')

/** Whether the package is built: programs run what is built. */
export const isBuilt = existsSync(index)

/** A program in a folder of its own: a link module, and a planner with a store that runs it until it is killed. */
export class DurableProgram {
  readonly #folder: string
  readonly #main: string

  /** @param links - code of the link module; all that the package exports is there as `databay` */
  constructor(folder: string, links: string) {
    this.#folder = folder
    const databay = pathToFileURL(index).href
    writeFileSync(join(folder, 'links.mjs'), `import * as databay from '${databay}'\n${links}`)
    this.#main = join(folder, 'main.mjs')
    writeFileSync(
      this.#main,
      `import { WorkerPlanner } from '${databay}'
      const options = { store: './.databay', threads: 2, ignoreExceptions: true }
      const planner = new WorkerPlanner(new URL('./links.mjs', import.meta.url), options)
      await planner.start()
      console.log('started')
      process.stdin.on('data', async (data) => {
        const word = String(data).trim()
        if (word === 'shutdown') await planner.shutdown()
        else if (word !== '') await planner[word]()
        console.log(word + ' done')
        if (word === 'shutdown') process.exit(0)
      })`,
    )
  }

  /** Starts it; what is done with it ends with its end, by a signal or in order. */
  async start(): Promise<RunningProgram> {
    const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
    const child = spawn(process.execPath, [this.#main], { cwd: this.#folder, env, stdio: ['pipe', 'pipe', 'pipe'] })
    const ended = once(child, 'exit')
    const printed = { out: '', err: '' }
    child.stderr.on('data', (data) => (printed.err += String(data)))
    const waiting = new Set<() => void>()
    child.stdout.on('data', (data) => {
      printed.out += String(data)
      for (const look of waiting) look()
    })
    const says = (text: string) =>
      Promise.race([
        new Promise<void>((resolve) => {
          const look = () => {
            if (printed.out.includes(text)) resolve()
          }
          waiting.add(look)
          look()
        }),
        ended.then(() => Promise.reject(new Error(`it ended: ${printed.out}${printed.err}`))),
      ])
    await says('started')
    return {
      kill: async () => {
        child.kill('SIGKILL')
        await ended
      },
      do: async (word) => {
        child.stdin.write(`${word}\n`)
        await says(`${word} done`)
      },
      end: async () => {
        child.stdin.write('shutdown\n')
        await ended
        return printed.err
      },
      log: () => printed.err,
    }
  }

  /** Lines of a file that it wrote. */
  lines(file: string): string[] {
    const path = join(this.#folder, file)
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  }
}

/** A program that runs. */
export interface RunningProgram {
  kill(): Promise<void>
  /** Calls a method of its planner. */
  do(method: string): Promise<void>
  /** Shuts it down. Gives its log. */
  end(): Promise<string>
  log(): string
}

/** What a list of numbers says of a source that gives 0, 1, 2 and so on. */
export function judge(lines: readonly string[]): {
  lost: number
  double: number
  back: number
  ahead: number
  last: number
} {
  const seen = new Set<number>()
  let [double, back, ahead, last] = [0, 0, 0, -1]
  for (const line of lines) {
    const number = Number(line)
    if (seen.has(number)) double++
    if (number < last) back++
    if (number > last + 1) ahead++
    seen.add(number)
    last = number
  }
  const most = Math.max(-1, ...seen)
  return { lost: most + 1 - seen.size, double, back, ahead, last: most }
}
