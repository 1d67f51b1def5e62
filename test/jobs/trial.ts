import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { below, type Random } from '../faults/random.js'
import { MAIN } from '../helpers/command.js'
import type { Owner } from '../helpers/postgres.js'
import type { Job, JobMaker, Servers, Verdict } from './job.js'

const EXAMPLES = fileURLToPath(new URL('../../dist/examples/', import.meta.url))

/** Time that a life has to deliver all, in milliseconds. */
const PATIENCE = 60_000

/** What came of an example whose process was killed. */
export interface Outcome extends Verdict {
  readonly kills: number
  /** Kills while the target lacked records. */
  readonly amid: number
}

/** Kills the process of an example again and again, lets the last one deliver all, and judges. */
export class Trial {
  readonly #folder = mkdtempSync(join(tmpdir(), 'databay-jobs-'))
  readonly #config = join(this.#folder, 'databay.config.mjs')
  #amid = 0
  /** Steps that are left until the process is killed. */
  #steps = Infinity
  #child: ChildProcess | undefined
  #log = ''

  constructor(
    example: string,
    private readonly random: Random,
  ) {
    // links transfer again at once, rather than in a minute
    const module = JSON.stringify(join(EXAMPLES, `${example}.js`))
    writeFileSync(
      this.#config,
      `export default { modules: ${module}, threads: 1, links: { '*': { interval: 0.05 } } }\n`,
    )
  }

  async run(owner: Owner, servers: Servers, make: JobMaker, kills: number): Promise<Outcome> {
    const onStep = () => {
      if (--this.#steps === 0) this.#kill()
    }
    const job = await make({ ...servers, owner, random: this.random, onStep })
    // before the servers end
    owner.teardown(() => {
      this.#kill()
      rmSync(this.#folder, { recursive: true, force: true })
    })
    for (let kill = 0; kill < kills; kill++) await this.#live(job)
    const finished = await this.#finish(job)
    const verdict = await job.judge()
    const wrong = finished ? verdict.wrong : [...verdict.wrong, `it did not finish: ${this.#log.slice(-2000)}`]
    return { ...verdict, wrong, kills, amid: this.#amid }
  }

  /** Lets a process live until it has made some steps, or for a short time. */
  async #live(job: Job): Promise<void> {
    await job.grow()
    const isShort = this.random() < 0.1
    this.#steps = isShort ? Infinity : 1 + below(this.random, job.steps)
    const ended = this.#begin(job)
    if (isShort) await wait(below(this.random, 1000))
    else await this.#complete(job)
    this.#kill()
    await ended
    if (!(await job.isComplete())) this.#amid++
  }

  /** Lets a process deliver all. @returns whether it did */
  async #finish(job: Job): Promise<boolean> {
    await job.grow()
    this.#steps = Infinity
    const ended = this.#begin(job)
    const isComplete = await this.#complete(job)
    this.#child?.kill('SIGTERM')
    const code = await Promise.race([ended, wait(PATIENCE, 'it does not end', { ref: false })])
    if (code !== 0) this.#log += `it ended with ${code}`
    return isComplete && code === 0
  }

  /** Waits until the target has all records, or the process has ended. @returns whether it has all in time */
  async #complete(job: Job): Promise<boolean> {
    const end = Date.now() + PATIENCE
    while (Date.now() < end && this.#child?.exitCode === null && this.#child.signalCode === null) {
      const from = Date.now()
      if (await job.isComplete()) return true
      // the servers of the job are in this process, too
      await wait(Math.max(100, 5 * (Date.now() - from)))
    }
    return false
  }

  #begin({ env: own }: Job): Promise<number | null> {
    const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
    const args = [MAIN, 'run', '--config', this.#config, '--store', join(this.#folder, 'store'), '--quiet']
    const child = spawn(process.execPath, args, { env: { ...env, ...own }, stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#log = `${this.#log}${text}`.slice(-20_000)))
    this.#child = child
    return once(child, 'exit').then(([code]) => code as number | null)
  }

  /** Kills the process, as with `kill -9`. */
  #kill(): void {
    this.#child?.kill('SIGKILL')
  }
}
