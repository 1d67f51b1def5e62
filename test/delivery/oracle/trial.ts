import { appendFileSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { below, pick, type Random } from '../../faults/random.js'
import { deadLetters } from './dead.js'
import { lastOf, judge, type Verdict } from './judge.js'
import { numbered, readJournal } from './journal.js'
import { Life } from './life.js'
import { THREAD_KILLS, type OperationKill, type Orders } from './orders.js'
import { LINES, MOST_AGAIN } from './sizes.js'

/** One kill, or several of threads in one process. */
export type Step =
  | { readonly kind: 'process' }
  | { readonly kind: 'operation'; readonly kill: OperationKill }
  | { readonly kind: 'system call'; readonly at: number }
  | { readonly kind: 'threads'; readonly count: number }

/** Journals by which it is seen that a link has recovered: their outlets never fail. */
const STEADY = ['numbers', 'files']

/** Journals of the links with `delivery`, and their sources. */
const SOURCES: { readonly [journal: string]: string } = {
  numbers: 'numbers',
  'numbers-moody': 'numbers',
  files: 'files',
  stream: 'stream',
}

/** Time that a life has to recover, or to reach the operation that kills it, in milliseconds. */
const PATIENCE = 20_000

/** Number of lines that the source of the link `files` has more than were delivered, when it is to go on. */
const MORE = 40 * LINES

/** What came of a trial. */
export interface Outcome {
  /** By journal. */
  readonly verdicts: ReadonlyMap<string, Verdict>
  readonly kills: number
  /** Longest time from a kill to the first record of all links, in milliseconds. */
  readonly recovery: number
  /** Records that the link without `delivery` has lost. */
  readonly lostInMemory: number
  /** What is wrong, in sentences. */
  readonly wrong: readonly string[]
}

/** A store and its links, which are killed again and again, and judged in the end. */
export class Trial {
  readonly #folder: string
  readonly #random: Random
  readonly #fails: boolean
  readonly #wrong: string[] = []
  #lives = 0
  #kills = 0
  #recovery = 0
  /** Time of the last kill, and the lengths of the steady journals then, until all of these have grown. */
  #killed: { readonly at: number; readonly sizes: readonly number[] } | undefined
  #lines = 0

  constructor(folder: string, random: Random, fails = true) {
    mkdirSync(folder, { recursive: true })
    this.#folder = folder
    this.#random = random
    this.#fails = fails
  }

  /** Makes all steps, lets the links come to an end, and judges. `onStep` is called after each. */
  async run(steps: readonly Step[], onStep: (step: Step) => void): Promise<Outcome> {
    for (const step of steps) {
      await this.#make(step)
      onStep(step)
    }
    const ends = await this.#drain()
    return this.#judged(ends)
  }

  async #make(step: Step): Promise<void> {
    switch (step.kind) {
      case 'process':
        return this.#killProcess()
      case 'operation':
        return this.#killAtOperation({ kill: step.kill }, [])
      case 'system call': {
        const calls = 'pwrite64,fdatasync,fsync,ftruncate'
        const inject = `inject=${calls}:signal=KILL:when=${step.at}`
        const strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', inject]
        return this.#killAtOperation({}, strace)
      }
      case 'threads':
        return this.#killThreads(step.count)
    }
  }

  /** Kills the process at a random time: mostly while it works, sometimes while it starts. */
  async #killProcess(): Promise<void> {
    const life = this.#begin()
    if (this.#random() < 0.2) await wait(below(this.#random, 500))
    else {
      await this.#recovered(life)
      await wait(below(this.#random, 150))
    }
    await this.#end(life)
  }

  async #killAtOperation(orders: Partial<Orders>, wrap: readonly string[]): Promise<void> {
    const life = this.#begin(orders, wrap)
    const recovered = this.#recovered(life, () => false)
    if (!(await life.until(() => life.isOver(), PATIENCE)) && !life.isOver()) {
      this.#blame(`life ${this.#lives} did not come to its operation ${JSON.stringify({ ...orders.kill, wrap })}`, life)
    }
    await this.#end(life)
    await recovered
  }

  async #killThreads(count: number): Promise<void> {
    const life = this.#begin()
    // what ends a thread may end the process: V8 aborts where it can do no more, as with a heap that is full
    const isAlive = () => !life.isOver()
    for (let kill = 0; kill < count && isAlive(); kill++) {
      await this.#recovered(life, isAlive)
      await wait(below(this.#random, 100))
      const { lost } = life
      const how = pick(this.#random, THREAD_KILLS)
      this.#strike()
      life.order(how)
      const has = await life.until(() => life.lost > lost, PATIENCE)
      if (has) this.#goOn()
      else if (isAlive()) this.#blame(`life ${this.#lives}: its thread did not end, ordered to by ${how}`, life)
    }
    await this.#recovered(life, isAlive)
    if (life.code !== undefined) this.#blame(`life ${this.#lives} ended by itself, with code ${life.code}`, life)
    if (life.isOver()) return
    life.order('shutdown')
    await life.until(() => life.isOver(), PATIENCE)
    if (!life.isOver()) this.#blame(`life ${this.#lives} did not shut down`, life)
    await life.kill()
  }

  /** Ends the sources a little behind what was taken, and waits until all of it is settled. */
  async #drain(): Promise<ReadonlyMap<string, number>> {
    const dead = await deadLetters(join(this.#folder, 'store'))
    const ends = new Map<string, number>()
    for (const [journal, source] of Object.entries(SOURCES)) {
      const most = Math.max(lastOf(this.#journal(journal)), ...(dead.get(journal) ?? []))
      ends.set(source, Math.max(ends.get(source) ?? 0, most + 100))
    }
    this.#addLines(0)
    ends.set('files', this.#lines)
    const life = this.#begin({ ends: Object.fromEntries(ends), fails: this.#fails })
    await this.#recovered(life)
    const isSettled = (letters: ReadonlyMap<string, ReadonlySet<number>>) =>
      [...this.#judge(ends, letters).values()].every(({ lost }) => lost === 0)
    const until = Date.now() + PATIENCE
    while (Date.now() < until && !life.isOver() && !isSettled(await deadLetters(join(this.#folder, 'store'))))
      await wait(50)
    life.order('shutdown')
    await life.until(() => life.isOver(), PATIENCE)
    if (!life.isOver()) this.#blame('the last life did not shut down', life)
    await life.kill()
    return ends
  }

  async #judged(ends: ReadonlyMap<string, number>): Promise<Outcome> {
    const verdicts = this.#judge(ends, await deadLetters(join(this.#folder, 'store')))
    for (const [journal, { lost, outOfOrder, mostDouble, repeated, examples }] of verdicts) {
      const mostAgain = MOST_AGAIN[journal] ?? 0
      if (lost + outOfOrder + repeated > 0) this.#wrong.push(...examples.map((example) => `${journal}: ${example}`))
      if (mostDouble > mostAgain)
        this.#wrong.push(`${journal}: ${mostDouble} records came again after a kill, of at most ${mostAgain}`)
    }
    const gone = this.#journal('gone')
    const { lost: lostInMemory } = judge(gone, new Set(), lastOf(gone) + 1)
    return { verdicts, kills: this.#kills, recovery: this.#recovery, lostInMemory, wrong: this.#wrong }
  }

  #judge(ends: ReadonlyMap<string, number>, dead: ReadonlyMap<string, ReadonlySet<number>>): Map<string, Verdict> {
    const verdict = ([journal, source]: [string, string]) =>
      [journal, judge(this.#journal(journal), dead.get(journal) ?? new Set(), ends.get(source) ?? 0)] as const
    return new Map(Object.entries(SOURCES).map(verdict))
  }

  #journal(name: string) {
    return readJournal(join(this.#folder, `${name}.txt`))
  }

  #begin(orders: Partial<Orders> = {}, wrap: readonly string[] = []): Life {
    this.#lives++
    if (orders.ends === undefined) this.#addLines(MORE)
    return new Life({ folder: this.#folder, life: this.#lives, fails: this.#fails, ...orders }, wrap)
  }

  /** Kills a process, which may have ended. */
  async #end(life: Life): Promise<void> {
    this.#strike()
    await life.kill()
  }

  #strike(): void {
    this.#kills++
    this.#killed = { at: Date.now(), sizes: this.#sizes() }
  }

  /**
   * Has what comes after a thread was lost count as its recovery. A thread may take seconds to end, in which the others go
   * on to the end of their source: it gets more lines.
   */
  #goOn(): void {
    if (this.#killed !== undefined) this.#killed = { at: this.#killed.at, sizes: this.#sizes() }
    this.#addLines(MORE)
  }

  /** Waits until links with `delivery` have delivered since the last kill, and notes how long that took. */
  async #recovered(life: Life, isExpected = () => true): Promise<void> {
    const { at, sizes } = this.#killed ?? { at: Date.now(), sizes: [0, 0] }
    const has = await life.until(() => this.#sizes().every((size, one) => size > (sizes[one] ?? 0)), PATIENCE)
    if (has) {
      if (this.#killed !== undefined) this.#recovery = Math.max(this.#recovery, Date.now() - at)
      this.#killed = undefined
    } else if (isExpected()) this.#blame(`life ${this.#lives} did not recover`, life)
  }

  #sizes(): number[] {
    return STEADY.map((name) => statSync(join(this.#folder, `${name}.txt`), { throwIfNoEntry: false })?.size ?? 0)
  }

  /** Adds lines to the source of the link `files`, so that some are behind what it has delivered. */
  #addLines(count: number): void {
    const end = Math.max(this.#lines, lastOf(this.#journal('files')) + count)
    const lines = Array.from({ length: end - this.#lines }, (_, at) => `${numbered(this.#lines + at)}\n`)
    appendFileSync(join(this.#folder, 'source.txt'), lines.join(''))
    this.#lines = end
  }

  #blame(what: string, life: Life): void {
    const errors = life.log.split('\n').filter((line) => line !== '' && !line.startsWith('{"level":40'))
    this.#wrong.push([what, ...errors.slice(-5)].join('\n'))
  }
}
