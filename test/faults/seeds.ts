import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/** Seeds of the random mix that were run for a length, and whether they held. */
interface State {
  readonly seconds: number
  readonly held: number[]
  readonly broken: number[]
}

/** Runs of many seeds, one after the other. A file keeps which were run, so that the next program goes on from there. */
export class Seeds {
  readonly #file: string
  readonly #state: State

  /**
   * @param file - a file of another length of runs begins from the start
   * @param seconds - length of a run
   */
  constructor(file: string, seconds: number) {
    this.#file = file
    const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as State) : undefined
    this.#state = before?.seconds === seconds ? before : { seconds, held: [], broken: [] }
  }

  /** Number of seeds that held so far. */
  get held(): number {
    return this.#state.held.length
  }

  /** The seeds that are to be run: those that did not hold again, and those that were not run. */
  left(first: number, count: number): number[] {
    return Array.from({ length: count }, (_, at) => first + at).filter((seed) => !this.#state.held.includes(seed))
  }

  /** Takes note of a run. */
  note(seed: number, ok: boolean): void {
    const { held, broken } = this.#state
    for (const list of [held, broken]) if (list.includes(seed)) list.splice(list.indexOf(seed), 1)
    ;(ok ? held : broken).push(seed)
    // a program that is stopped meanwhile leaves the file as it was
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(this.#state)}\n`)
    renameSync(`${this.#file}.new`, this.#file)
  }
}
