import type { Logger } from './log.js'
import { Repeats } from './repeats.js'

/** Number of first warnings of a kind that are written at once: each tells of other records. */
const FIRST = 3

/** Most texts that {@link Warnings.once} tells apart; further ones are warnings like others. */
const MOST_ONCE = 100

/** What {@link Warnings.once} has told, and what has been counted since. */
interface Told {
  readonly noun: string
  readonly first: number
  amount: number
}

/** Warnings of one inlet or outlet: few lines, however often its trouble comes. See {@link Repeats}. */
export class Warnings {
  readonly #log: () => Logger
  /** Made at the first warning: most have none. */
  #repeats: Repeats | undefined
  #once: Map<string, Told> | undefined

  /** @param log - gives the logger */
  constructor(log: () => Logger) {
    this.#log = log
  }

  /**
   * Warns, unless it was said of late.
   *
   * @param fields - fields of the line beside its text
   * @param text - text of the line; numbers in it make no difference
   * @param occasion - what it is a part of, such as a transfer, of which all is logged that is once logged in part
   */
  warn(fields: object, text: string, occasion?: unknown): void {
    this.#repeats ??= new Repeats()
    const write = (counted: string) => {
      this.#log().warn(fields, '%s%s', text, counted)
    }
    this.#repeats.again(text, write, { first: FIRST, occasion })
  }

  /**
   * Tells of something that stays as it is, such as a field that is never written: once, and how much there was at the end.
   *
   * @param amount - what it is about now, as in 5 records
   */
  once(text: string, amount: number, noun: string): void {
    this.#once ??= new Map()
    const told = this.#once.get(text)
    if (told !== undefined) {
      told.amount += amount
    } else if (this.#once.size < MOST_ONCE) {
      this.#once.set(text, { noun, first: amount, amount })
      this.#log().warn({ [noun]: amount }, '%s', text)
    } else {
      this.warn({ [noun]: amount }, text)
    }
  }

  /**
   * Takes note that all goes well.
   *
   * @param whose - name of the inlet or outlet
   */
  well(whose: string): void {
    this.#repeats?.over((warnings, time) => {
      this.#log().warn('%s: no more warnings: there were %s in %s', whose, warnings, time)
    })
  }

  /** Takes note that the inlet or outlet is shut down. */
  end(whose: string): void {
    this.#repeats?.end((warnings, time) => {
      this.#log().warn('%s: there were %s warnings in %s when it was shut down', whose, warnings, time)
    })
    for (const [text, { noun, first, amount }] of this.#once ?? []) {
      if (amount > first) this.#log().warn('%s: %s %s in all', text, amount.toLocaleString('en-US'), noun)
    }
    this.#once = undefined
  }
}
