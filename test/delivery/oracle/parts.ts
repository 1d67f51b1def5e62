/** Sources of numbered records, and outlets that keep journals. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  FileOutlet,
  Inlet,
  InvalidPayloadError,
  Outlet,
  PartialPushError,
  type Cursor,
  type OutletOptions,
  type Record,
  type RejectedRecord,
  type Update,
} from 'databay'
import { note, numbered, numberOf, openingMark } from './journal.js'
import { ordersOfThisProcess, REFUSED } from './orders.js'
import { LIST, LISTS } from './sizes.js'

const { folder, life, ends, fails } = ordersOfThisProcess()

/** The next numbers of a source. */
function numbersFrom(from: number, source: string): string[] {
  const end = Math.min(ends?.[source] ?? Infinity, from + 1 + Math.floor(Math.random() * LIST))
  return Array.from({ length: Math.max(0, end - from) }, (_, at) => numbered(from + at))
}

/** A source that gives a list at each pull. */
export class Numbers extends Inlet<string, number> {
  pull(_update: Update, cursor: Cursor<number>): string[] {
    const from = cursor.value ?? 0
    const numbers = numbersFrom(from, 'numbers')
    cursor.advance(from + numbers.length)
    return numbers
  }
}

/** A source that gives several lists at each pull, one after the other. */
export class Streamed extends Inlet<string, number> {
  async *pull(_update: Update, cursor: Cursor<number>): AsyncGenerator<string[]> {
    for (let list = 0; list < LISTS; list++) {
      const from = cursor.value ?? 0
      const numbers = numbersFrom(from, 'stream')
      if (numbers.length === 0) return
      cursor.advance(from + numbers.length)
      yield numbers
      await new Promise(setImmediate)
    }
  }
}

/** A source that cannot be read again: what it gave is gone. */
export class Gone extends Inlet<string> {
  readonly #file = join(folder, 'gone.position')

  pull(): string[] {
    const from = existsSync(this.#file) ? Number(readFileSync(this.#file, 'utf8')) : 0
    const numbers = numbersFrom(from, 'gone')
    writeFileSync(this.#file, String(from + numbers.length))
    return numbers
  }
}

/** An outlet that keeps a journal. */
export class Journal extends Outlet {
  readonly file: string
  readonly #name: string
  #isMarked = false

  constructor(name: string, options?: OutletOptions) {
    super(options)
    this.#name = name
    this.file = join(folder, `${name}.txt`)
  }

  override onStart(): void {
    this.#isMarked = false
  }

  push(records: Record[]): void | Promise<void> {
    this.take(records)
  }

  protected take(records: readonly Record[]): void {
    if (records.length === 0) return
    const texts = records.map(({ payload }) => payload as string)
    note(this.file, this.#isMarked ? texts : [openingMark(life), ...texts])
    this.#isMarked = true
  }

  override toString(): string {
    return this.#name
  }
}

/** An outlet that fails at random, for reasons of its own, and refuses each 97th record, by itself or with its batch. */
export class Moody extends Journal {
  override async push(records: Record[]): Promise<void> {
    if (Math.random() < 0.3) await new Promise(setImmediate)
    const rejected = fails ? this.#rejected(records) : []
    if (rejected.length === 0) {
      this.take(records)
      return
    }
    const taken = records.filter((_, at) => rejected.every(({ index }) => index !== at))
    this.take(taken)
    throw new PartialPushError(String(this), taken.length, rejected)
  }

  /** The records that it refuses, unless it fails or refuses their batch. */
  #rejected(records: readonly Record[]): RejectedRecord[] {
    const mood = Math.random()
    if (mood < 0.02) throw new Error('it is out of sorts')
    if (mood < 0.06) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const numbers = records.map(({ payload }) => numberOf(payload as string))
    const refused = numbers.filter((number) => number % REFUSED === 0)
    if (refused.some((number) => (number / REFUSED) % 2 === 0)) throw new InvalidPayloadError('refused')
    return refused.map((number) => ({ index: numbers.indexOf(number), error: new InvalidPayloadError('refused') }))
  }
}

/** A file outlet whose file is a journal. */
export class JournalFile extends FileOutlet {
  readonly #file: string

  constructor(name: string) {
    const file = join(folder, `${name}.txt`)
    super(file)
    this.#file = file
  }

  override onStart(): void {
    super.onStart()
    note(this.#file, [openingMark(life)])
  }
}
