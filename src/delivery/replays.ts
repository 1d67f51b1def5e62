import { getLogger } from '../base/log.js'
import { plainError } from '../base/plain-error.js'
import type { Record } from '../core/record.js'
import type { Unsettled, UnsettledTransfers } from '../core/transfer/unsettled.js'
import { decodeRecords, type Body } from '../store/codec.js'
import type { DeadTry, StoredDeadLetter } from '../store/dead-letters.js'
import type { LinkStage } from '../store/link-stages.js'
import type { LinkStore } from '../store/link-store.js'
import type { LetterOrigin, LetterOrigins } from './letter-origins.js'

/** Most dead letters that are replayed at once. */
const AT_ONCE = 1000

/** Dead letters that go through the link again, from one place on. What they become is known as of a transfer. */
export class ReplayedLetters implements Unsettled {
  readonly list: UnsettledTransfers
  readonly place: string
  readonly records: readonly Record[]
  readonly #origins: readonly LetterOrigin[]
  held = 0
  failed = false

  constructor(
    list: UnsettledTransfers,
    place: string,
    letters: readonly { readonly origin: LetterOrigin; readonly record: Record }[],
  ) {
    this.list = list
    this.place = place
    this.records = letters.map(({ record }) => record)
    this.#origins = letters.map(({ origin }) => origin)
  }

  fail(): void {
    this.failed = true
  }

  get ids(): number[] {
    return this.#origins.map(({ id }) => id)
  }

  /** Letters that are no more, as their records were delivered, or have become other letters. */
  get done(): number[] {
    return this.#origins.filter(({ isRefused }) => !isRefused).map(({ id }) => id)
  }
}

/** Finds dead letters of a link that a command has marked, and keeps those whose records are on their way. */
export class Replays {
  readonly #name: string
  readonly #store: LinkStore
  readonly #list: UnsettledTransfers
  readonly #origins: LetterOrigins
  /** Letters on their way, in the order in which they began. */
  #running: ReplayedLetters[] = []
  /** Letters that cannot be replayed. */
  #unmarked: DeadTry[] = []

  /** @param name - of the link, for the log */
  constructor(name: string, store: LinkStore, list: UnsettledTransfers, origins: LetterOrigins) {
    this.#name = name
    this.#store = store
    this.#list = list
    this.#origins = origins
  }

  /** Whether there are letters whose end is to be kept. */
  get isEnding(): boolean {
    return this.#unmarked.length > 0 || this.#running.some(({ held }) => held === 0)
  }

  /**
   * The next letters that are to be replayed, those of one place and group together.
   *
   * @param after - id of the last letter before them
   * @param stages - places of the link
   * @returns letters, and the id of the last one; `undefined` when there are none
   */
  next(
    after: number,
    stages: readonly LinkStage[],
  ): { readonly last: number; readonly groups: readonly ReplayedLetters[] } | undefined {
    if (!this.#store.store.read(() => this.#store.deadLetters.hasMarked())) return undefined
    const ids = this.#store.store.read(() => this.#store.deadLetters.marked(this.#store.opened.id, after, AT_ONCE))
    const last = ids.at(-1)
    if (last === undefined) return undefined
    const groups = new Map<string, { place: string; letters: { origin: LetterOrigin; record: Record }[] }>()
    const underWay = new Set(this.#running.flatMap((letters) => letters.ids))
    for (const id of ids) {
      // a buffer may hold it still
      if (underWay.has(id)) continue
      const letter = this.#read(id, stages)
      if (letter === undefined) continue
      const { place, group, record, attempts } = letter
      const origin = { id, attempts, isRefused: false }
      this.#origins.set(record, origin)
      // a processor or grouper gets again together what it was given together; an outlet all of them
      const key = place.startsWith('outlet:') && !place.includes(' ') ? place : `${place}\n${group}`
      const same = groups.get(key) ?? { place, letters: [] }
      groups.set(key, same)
      same.letters.push({ origin, record })
    }
    const all = Array.from(groups.values(), ({ place, letters }) => new ReplayedLetters(this.#list, place, letters))
    this.#running.push(...all)
    return { last, groups: all }
  }

  /** What has come of letters, for the next commit. Those that failed without becoming dead again stay marked. */
  ended(): { readonly deadDone: number[]; readonly deadTried: DeadTry[] } {
    const ended = this.#running.filter(({ held }) => held === 0)
    this.#running = this.#running.filter(({ held }) => held > 0)
    const deadDone = ended.filter(({ failed }) => !failed).flatMap(({ done }) => done)
    const deadTried = this.#unmarked
    this.#unmarked = []
    return { deadDone, deadTried }
  }

  #read(id: number, stages: readonly LinkStage[]) {
    try {
      const letter = this.#store.store.read(() => this.#store.deadLetters.read(id))
      return letter === undefined ? undefined : this.#check(letter, stages)
    } catch (thrown) {
      // the row is damaged
      this.#unmark({ id, attempts: 0, error: plainError(thrown), at: Date.now() }, plainError(thrown).message)
      return undefined
    }
  }

  #check(letter: StoredDeadLetter & { readonly body?: Body }, stages: readonly LinkStage[]) {
    const { place, node, group = '', attempts } = letter
    if (!stages.some((stage) => stage.place === place && stage.node === node)) {
      this.#unmark(letter, `${this.#name} has no ${node} at ${place} any more`)
      return undefined
    }
    if (letter.body === undefined) {
      this.#unmark(letter, 'its record was not kept')
      return undefined
    }
    const [record] = decodeRecords(letter.body)
    return record && { place, group, record, attempts }
  }

  #unmark({ id, attempts, code, error, at }: DeadTry, why: string): void {
    getLogger('databay.Delivery').warn(`${this.#name}: dead letter ${id} is not replayed: ${why}`)
    this.#unmarked.push({ id, attempts, ...(code !== undefined && { code }), error, at })
  }
}
