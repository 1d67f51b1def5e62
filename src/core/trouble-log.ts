import { getLogger } from '../base/log.js'
import { kindOf, Repeats } from '../base/repeats.js'

/** Most kinds of errors of a blocked link that have their lines. */
const MOST_KINDS = 20

/** Number of first lines of a kind that rounds have. */
const FIRST = 3

/** Log of what goes wrong in the transfers of one link: few lines, however often it does. */
export class TroubleLog {
  readonly #now: (() => number) | undefined
  /** Made when something goes wrong for the first time: most links are well. */
  #errors: Repeats | undefined
  #drops: Repeats | undefined
  /** Kinds of errors of the last transfer that had some; while the link is blocked, of all its tries. */
  #kinds: Set<string> | undefined
  /** What these belong to. */
  #occasion: unknown
  #isBlocked = false

  /** @param now - a clock in milliseconds that never jumps */
  constructor(now?: () => number) {
    this.#now = now
  }

  /** Notes an error, and has its line written when one is due: see {@link Repeats.again}. */
  failed(kind: string, occasion: unknown, write: (counted: string) => void): void {
    this.#errors ??= new Repeats(this.#now)
    this.#errors.again(kind, this.#isNew(kind, occasion) ? write : nothing, { occasion })
  }

  /**
   * Notes something that each round of a transfer may have, and has its line written when one is due: the first few are, whatever
   * they belong to.
   */
  ofRound(kind: string, occasion: unknown, write: (counted: string) => void): void {
    this.#errors ??= new Repeats(this.#now)
    this.#errors.again(kind, this.#isNew(kind, occasion) ? write : nothing, { first: FIRST })
  }

  /** Takes note whether the link is blocked: while it is, an error that has its line has no other. */
  blocked(isBlocked: boolean): void {
    this.#isBlocked = isBlocked
  }

  #isNew(text: string, occasion: unknown): boolean {
    const kind = kindOf(text)
    if (this.#kinds === undefined || (!this.#isBlocked && occasion !== this.#occasion)) this.#kinds = new Set()
    this.#occasion = occasion
    if (this.#isBlocked && (this.#kinds.has(kind) || this.#kinds.size >= MOST_KINDS)) return false
    this.#kinds.add(kind)
    return true
  }

  /** Notes records that were dropped, and has their line written when one is due. */
  dropped(kind: string, records: number, write: (counted: string) => void): void {
    this.#drops ??= new Repeats(this.#now)
    this.#drops.again(kind, write, { amount: records, noun: 'records' })
  }

  /** Takes note of a transfer in which nothing went wrong. */
  well(link: string): void {
    this.#errors?.over((errors, time) => {
      warn(`${link} transfers again without errors: it had ${errors} in ${time}`)
    })
    this.#drops?.over((records, time) => {
      warn(`${link} drops nothing any more: it dropped ${records} records in ${time}`)
    })
  }

  /** Takes note that the link makes no more transfers. */
  end(link: string): void {
    this.#errors?.end((errors, time) => {
      warn(`${link} had ${errors} errors in ${time}, when it was shut down`)
    })
    this.#drops?.end((records, time) => {
      warn(`${link} had dropped ${records} records in ${time}, when it was shut down`)
    })
  }
}

function nothing(): void {
  // it has its line
}

function warn(text: string): void {
  getLogger('databay.Link').warn(text)
}
