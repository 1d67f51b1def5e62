import { getLogger } from '../base/log.js'
import { Repeats } from '../base/repeats.js'

/** Log of the due times of one link that it kept late or not at all: few lines, however many they are. */
export class LatenessLog {
  readonly #link: { readonly name: string }
  readonly #repeats: Repeats

  /** @param now - a clock in milliseconds that never jumps */
  constructor(link: { readonly name: string }, now?: () => number) {
    this.#link = link
    this.#repeats = new Repeats(now)
  }

  /** Says that a transfer is late, and how many due times were missed. */
  late(milliseconds: number, missed: number): void {
    const andMissed = missed === 0 ? '' : `, and missed ${missed} due times, which are not made up`
    this.#warn('late', 1 + missed, `is ${Math.round(milliseconds)} ms late${andMissed}`)
  }

  /** Says that a due time was skipped. */
  skipped(reason: string, why: string): void {
    this.#warn(reason, 1, `is skipped: ${why}`)
  }

  /** Takes note of a transfer that is on time. */
  onTime(): void {
    this.#repeats.over((dueTimes, time) => {
      this.#write(`is on time again: ${dueTimes} due times were late or skipped in ${time}`)
    })
  }

  /** Takes note that the link is due no more. */
  end(): void {
    this.#repeats.end((dueTimes, time) => {
      this.#write(`is due no more: ${dueTimes} due times were late or skipped in ${time}`)
    })
  }

  #warn(kind: string, dueTimes: number, text: string): void {
    const write = (counted: string) => {
      this.#write(`${text}${counted}`)
    }
    this.#repeats.again(kind, write, { amount: dueTimes, noun: 'due times' })
  }

  #write(text: string): void {
    getLogger('databay.BasePlanner').warn(`${this.#link.name} ${text}`)
  }
}
