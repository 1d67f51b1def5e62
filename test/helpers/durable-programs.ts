/** Runs programs with durable links in processes of their own, and kills them. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
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

/** What a mortal program has printed, and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Values that it printed, as JSON. */
  readonly said: readonly { readonly [name: string]: unknown }[]
  /** Its log. */
  readonly log: string
}

/** A program that makes some transfers and ends, or is killed by its own links at a point that its environment names. */
export class MortalProgram {
  readonly folder: string

  /**
   * @param links - code of the link module: `databay` is there, `at(point)` kills the process at the point that is to be in the
   * environment as `POINT`, and `lines(file, values)` adds lines to a file
   * @param main - code for the main thread, with `planner` and `at`, before the planner starts
   */
  constructor(folder: string, links: string, main = '') {
    this.folder = folder
    const databay = pathToFileURL(index).href
    const head = `
      import * as databay from '${databay}'
      import { appendFileSync } from 'node:fs'
      import { onCommit } from '${pathToFileURL(join(index, '../../test/delivery/oracle/store-kills.js')).href}'
      const { POINT, STORE = './.databay', TRANSFERS = '2', THREADS = '2' } = process.env
      const at = (point) => { if (point === POINT) process.kill(process.pid, 'SIGKILL') }
      const lines = (file, values) => appendFileSync(file, values.map((value) => value + '\\n').join(''))
      const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n')`
    writeFileSync(join(folder, 'links.mjs'), `${head}\n${links}`)
    writeFileSync(
      join(folder, 'main.mjs'),
      `${head}
      const options = { store: STORE, threads: Number(THREADS), ignoreExceptions: true, transfers: Number(TRANSFERS) }
      const planner = new databay.WorkerPlanner(new URL('./links.mjs', import.meta.url), options)
      ${main}
      await planner.start()
      await planner.finished`,
    )
  }

  /**
   * Starts it.
   *
   * @param wrap - command that runs it, such as strace with its arguments
   * @param node - the Node that runs it
   */
  start(
    more: NodeJS.ProcessEnv = {},
    wrap: readonly string[] = [],
    node = process.execPath,
  ): { child: ChildProcess; ended: Promise<Ended> } {
    const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
    const [file, ...args] = [...wrap, node, 'main.mjs']
    const child = spawn(file, args, { cwd: this.folder, env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, log] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
    const ended = once(child, 'close').then(([code, signal]: unknown[]): Ended => {
      const said = out.split('\n').filter((line) => line.startsWith('{'))
      return {
        code: code as number | null,
        signal: signal as NodeJS.Signals | null,
        said: said.map((line) => JSON.parse(line) as { readonly [name: string]: unknown }),
        log,
      }
    })
    return { child, ended }
  }

  /** Runs it to its end. */
  run(env: NodeJS.ProcessEnv = {}, wrap: readonly string[] = [], node?: string): Promise<Ended> {
    return this.start(env, wrap, node).ended
  }

  /** Numbers in a file that it wrote, one a line. */
  numbers(file: string): number[] {
    const path = join(this.folder, file)
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1).map(Number) : []
  }
}

/** Whether a command can be run here. */
export function can(file: string, ...args: readonly string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0
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
