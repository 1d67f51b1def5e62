/** Time after a line in which what happens again is only counted, in milliseconds; each further time is twice as long. */
const FIRST_WAIT = 60_000
/** Longest of these times. */
const LONGEST_WAIT = 60 * 60_000
/** Time without trouble from which on it is over, in milliseconds. */
const QUIET = 3000
/** Time without trouble, while all went well, from which on it is new when it comes back, in milliseconds. */
const CALM = 5 * 60_000
/** Most kinds of trouble that are told apart; all further ones count as one kind. */
const MOST_KINDS = 20

/** Trouble of one kind. */
interface Trouble {
  /** Number of lines that are still written at once. */
  free: number
  /** Time from which on the next line may be written. */
  nextLine: number
  /** Time from one line to the next. */
  wait: number
  /** Time of the last line. */
  toldAt: number
  /** What has happened since the last line. */
  untold: number
  last: number
  /** Whether something has gone well since. */
  isOver: boolean
  /** The occasion of the last line: all that belongs to it is written. */
  occasion: unknown
}

/** Details of a happening. */
export interface Happening {
  /**
   * How much it counts for.
   * @default 1
   */
  readonly amount?: number
  /**
   * Noun for what is counted, as in `5 records`.
   * @default 'times'
   */
  readonly noun?: string
  /**
   * Number of first times that have their lines at once.
   * @default 1
   */
  readonly first?: number
  /** What it is a part of, such as a transfer: when one part has its line, the others have theirs too. */
  readonly occasion?: unknown
}

/**
 * Keeps short the log of trouble that comes again and again, such as a server that is down at every due time. The first
 * time has its line at once. What follows is counted, and told after 1, 2, 4, and so on up to 60 minutes. When it has been
 * quiet for a while, a last line says so; that needs a call of {@link Repeats.over} when things go well.
 */
export class Repeats {
  readonly #now: () => number
  readonly #troubles = new Map<string, Trouble>()
  /** When the trouble began, and how much has happened since; `undefined` while there is none. */
  #since: number | undefined
  #total = 0
  #last = -Infinity
  /** Whether a line was written since the trouble began. */
  #isTold = false
  /** What has happened since, and is in no line yet. */
  #untold = 0
  /** Whether something has gone well since the last trouble. */
  #isWell = false

  /** @param now - a clock in milliseconds that never jumps */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /**
   * Counts trouble, and has a line written when one is due.
   *
   * @param kind - what has happened; numbers in it make no difference
   * @param write - writes the line; it is given what has happened since the last one, as text to add: `; 930 times in 1 min`
   */
  again(
    kind: string,
    write: (counted: string) => void,
    { amount = 1, noun = 'times', first = 1, occasion }: Happening = {},
  ): void {
    const now = this.#now()
    const trouble = this.#troubleOf(kind, now)
    this.#since ??= now
    this.#total += amount
    this.#untold += amount
    this.#last = now
    this.#isWell = false
    trouble.untold += amount
    const ofLastLine = occasion !== undefined && occasion === trouble.occasion
    const isNew = isNewAt(now, trouble)
    trouble.last = now
    trouble.isOver = false
    if (isNew) trouble.free = first
    if (trouble.free === 0 && now < trouble.nextLine && !ofLastLine) return
    const { untold, toldAt } = trouble
    if (!ofLastLine) {
      trouble.wait = isNew || trouble.free > 0 ? FIRST_WAIT : Math.min(LONGEST_WAIT, 2 * trouble.wait)
      trouble.nextLine = now + trouble.wait
      trouble.free = Math.max(0, trouble.free - 1)
    }
    Object.assign(trouble, { toldAt: now, untold: 0, occasion })
    this.#isTold = true
    this.#untold -= untold
    write(ofLastLine || untold === amount ? '' : `; ${count(untold)} ${noun} in ${lengthText(now - toldAt)}`)
  }

  /**
   * Takes note that all goes well. When trouble was told, and it has been quiet since for a while, that is written; when it
   * was only counted, after a longer while.
   *
   * @param write - writes the line; it is given how much has happened in all, and in what time
   */
  over(write: (total: string, time: string) => void): void {
    if (!this.#isWell) {
      this.#isWell = true
      for (const trouble of this.#troubles.values()) trouble.isOver = true
    }
    if (this.#since === undefined || this.#now() - this.#last < (this.#isTold ? QUIET : CALM)) return
    this.#end(write)
  }

  /** Takes note that nothing can happen any more: what was only counted is told, see {@link Repeats.over}. */
  end(write: (total: string, time: string) => void): void {
    if (this.#untold > 0) this.#end(write)
    else this.#reset()
    this.#troubles.clear()
  }

  #end(write: (total: string, time: string) => void): void {
    const total = count(this.#total)
    const time = lengthText(this.#last - (this.#since ?? this.#last))
    this.#reset()
    write(total, time)
  }

  #reset(): void {
    this.#since = undefined
    this.#total = 0
    this.#untold = 0
    this.#isTold = false
    for (const trouble of this.#troubles.values()) trouble.untold = 0
  }

  #troubleOf(kind: string, now: number): Trouble {
    let key = kindOf(kind)
    if (!this.#troubles.has(key) && this.#troubles.size >= MOST_KINDS) {
      for (const [old, trouble] of this.#troubles) if (isNewAt(now, trouble)) this.#troubles.delete(old)
      if (this.#troubles.size >= MOST_KINDS) key = ''
    }
    let trouble = this.#troubles.get(key)
    if (trouble === undefined) {
      trouble = {
        free: 0,
        nextLine: now,
        wait: FIRST_WAIT,
        toldAt: now,
        untold: 0,
        last: -Infinity,
        isOver: false,
        occasion: undefined,
      }
      this.#troubles.set(key, trouble)
    }
    return trouble
  }
}

/** Whether trouble that happens now is new: it has its line at once. */
function isNewAt(now: number, { last, wait, isOver }: Trouble): boolean {
  return now - last >= (isOver ? Math.min(wait, CALM) : wait)
}

/** What makes a kind of trouble: numbers in it make no difference. */
export function kindOf(text: string): string {
  return text.replace(/\d+/g, '#').slice(0, 500)
}

/** A count as text, as in `1,234`. */
function count(number: number): string {
  return number.toLocaleString('en-US')
}

/** A length of time as text, in seconds or minutes. */
export function lengthText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  return milliseconds < 120_000
    ? `${Math.round(milliseconds / 1000)} s`
    : `${count(Math.round(milliseconds / 60_000))} min`
}
