import type { OutletReport, TransferReport } from './report.js'

/**
 * What became of the records that a link had for one of its outlets. None is unaccounted for:
 * `pulled + replayed + added = filtered + pushed + dropped + dead + lost + pulledAgain + waiting + buffered`.
 *
 * What happens before the outlets part ways is in the account of each of them: a record that was pulled counts as pulled
 * for every outlet.
 */
export interface OutletAccount {
  /** The outlet, as it names itself; empty while no transfer of the link has come as far as its outlets. */
  readonly outlet: string
  /** Records that the inlets produced. */
  readonly pulled: number
  /** Records that processors added, that groupers repeated, or that were in the link's buffers when it came. */
  readonly added: number
  /** Records that processors removed. */
  readonly filtered: number
  /** Records that the outlet took. */
  readonly pushed: number
  /** Records lost to an error, or left out by a grouper, in a transfer whose report says so. */
  readonly dropped: number
  /** Records that were lost outside of transfers, with a buffer that held them. */
  readonly lost: number
  /** Records that are in buffers, or were handed off by buffers and wait for their link to be opened. */
  readonly buffered: number
  /** Dead letters. Absent when there are none. */
  readonly dead?: number
  /** Records of dead letters that were run again. Absent when there are none. */
  readonly replayed?: number
  /** Records that wait for the outlet, as it is unavailable. Absent when there are none. */
  readonly waiting?: number
  /**
   * Records of a link with `delivery` that waited or were in buffers when it moved, was stopped or lost its thread: they are
   * pulled again, and count as pulled once more. Absent when there are none.
   */
  readonly pulledAgain?: number
}

/** Numbers of records by where they were: in the link's own buffers first, then in those of each of its outlets. */
export type Held = readonly number[]

/** Sums of what became of records in the link before its outlets, or in one outlet and its processors. */
class Part {
  /** Records that came in. */
  in = 0
  added = 0
  filtered = 0
  /** Records that went out: to the outlets, or into the outlet. */
  out = 0
  dropped = 0
  lost = 0
  dead = 0
  replayed = 0
  /** Records that were let go of, as they are pulled again. */
  again = 0

  /** Number of records that are held: they came in and did not go. */
  get held(): number {
    const came = this.in + this.replayed + this.added
    return came - this.filtered - this.out - this.dropped - this.dead - this.lost - this.again
  }
}

/** One outlet of a link. */
class OutletPart extends Part {
  readonly outlet: string
  /** Number of the records that are held which wait for the outlet. */
  waiting = 0
  /** What had become of the link's records when the outlet came to it. */
  readonly before: Readonly<Part>

  constructor(outlet: string, before: Readonly<Part>) {
    super()
    this.outlet = outlet
    this.before = before
  }
}

const NOTHING: Readonly<Part> = new Part()

/**
 * Accounts of the records of one link: what became of them in its transfers, as their reports tell, and outside of them.
 * How many its buffers hold follows from the reports, in whatever order they come.
 *
 * Links that share an outlet share its buffers: one may let go of what another put in, and is short then, until that is
 * settled with the other.
 */
export class LinkAccounts {
  readonly #link = new Part()
  #outlets: OutletPart[] = []
  /** Number of records that outlets took which the link does not have any more. */
  #pushedBefore = 0

  /** Number of records in buffers. */
  get held(): number {
    let held = this.#link.held
    for (const outlet of this.#outlets) held += outlet.held
    return held
  }

  /** Number of records that wait for outlets. */
  get waiting(): number {
    return this.#sum(({ waiting }) => waiting)
  }

  /** Number of records that the inlets produced. */
  get pulled(): number {
    return this.#link.in
  }

  /** Number of records that outlets took, also those that the link does not have any more. */
  get pushed(): number {
    return this.#pushedBefore + this.#sum(({ out }) => out)
  }

  /** Number of records that were dropped: before the outlets, or for an outlet. */
  get dropped(): number {
    return this.#link.dropped + this.#sum(({ dropped }) => dropped)
  }

  /** Number of dead letters. */
  get dead(): number {
    return this.#link.dead + this.#sum(({ dead }) => dead)
  }

  /** Number of records of dead letters that were run again. */
  get replayed(): number {
    return this.#link.replayed + this.#sum(({ replayed }) => replayed)
  }

  /** Numbers of the records that are held, by where they are. */
  get where(): Held {
    return [this.#link.held, ...this.#outlets.map(({ held }) => held)]
  }

  /** Whether an outlet has let go of more records than had come to it. */
  get isShort(): boolean {
    for (const outlet of this.#outlets) if (outlet.held < 0) return true
    return false
  }

  /** Whether nothing is held and no outlet is short. */
  get isEven(): boolean {
    return this.#link.held === 0 && this.#outlets.every(({ held }) => held === 0)
  }

  /** The part of an outlet, to be settled with those of other links that share the outlet. */
  outlet(at: number): SharedPart | undefined {
    return this.#outlets[at]
  }

  /**
   * Takes the report of a transfer.
   *
   * @returns number of records that are lost, as they were in buffers of outlets that the link does not have any more
   */
  add(report: TransferReport): number {
    const { outlets, grouped } = report
    const lost = outlets.length === 0 || this.#has(outlets) ? 0 : this.#change(outlets)
    const link = this.#link
    link.in += report.pulled
    link.added += report.added
    link.filtered += report.filtered
    link.out += grouped
    link.dropped += report.dropped
    link.dead += report.dead ?? 0
    link.replayed += report.replayed ?? 0
    for (let at = 0; at < outlets.length; at++) {
      const part = this.#outlets[at] as OutletPart
      const { added, filtered, pushed, dropped, dead = 0, waiting = 0, replayed = 0 } = outlets[at] as OutletReport
      part.in += grouped
      part.added += added
      part.filtered += filtered
      part.out += pushed
      part.dropped += dropped
      part.dead += dead
      part.replayed += replayed
      part.waiting = waiting
    }
    return lost
  }

  /**
   * Takes note of what is in the buffers of a link that begins, however it got there.
   *
   * @param outlets - the outlets of the link
   */
  find(held: Held, outlets: readonly Pick<OutletReport, 'outlet'>[]): void {
    if (!this.#has(outlets)) this.#change(outlets)
    this.#link.added += (held[0] ?? 0) - this.#link.held
    this.#outlets.forEach((outlet, at) => (outlet.added += (held[at + 1] ?? 0) - outlet.held))
  }

  /**
   * Takes note of records that are lost.
   *
   * @param held - where they were. Default: all that buffers hold
   * @returns their number
   */
  lose(held?: Held): number {
    let sum = 0
    for (let at = 0; at <= this.#outlets.length; at++) {
      const part = at === 0 ? this.#link : (this.#outlets[at - 1] as OutletPart)
      const lost = held === undefined ? Math.max(0, part.held) : (held[at] ?? 0)
      part.lost += lost
      sum += lost
    }
    return sum
  }

  /**
   * Takes note of records that are gone from memory and pulled again: all that buffers hold, and all that waits.
   *
   * @param held - where they were. Default: everywhere
   * @returns their number
   */
  pullAgain(held?: Held): number {
    let sum = 0
    for (let at = 0; at <= this.#outlets.length; at++) {
      const part = at === 0 ? this.#link : (this.#outlets[at - 1] as OutletPart)
      const again = held === undefined ? Math.max(0, part.held) : (held[at] ?? 0)
      part.again += again
      sum += again
    }
    for (const outlet of this.#outlets) outlet.waiting = Math.min(outlet.waiting, Math.max(0, outlet.held))
    return sum
  }

  /** The account of each outlet, as plain data. */
  read(): OutletAccount[] {
    const link = this.#link
    if (this.#outlets.length > 0) return this.#outlets.map((outlet) => accountOf(link, outlet))
    return link.in + link.replayed + link.added > 0 && link.out === 0
      ? [accountOf(link, new OutletPart('', NOTHING))]
      : []
  }

  #sum(count: (outlet: OutletPart) => number): number {
    return this.#outlets.reduce((sum, outlet) => sum + count(outlet), 0)
  }

  /** Whether the outlets are these. */
  #has(outlets: readonly Pick<OutletReport, 'outlet'>[]): boolean {
    if (outlets.length !== this.#outlets.length) return false
    for (let at = 0; at < outlets.length; at++) if (outlets[at]?.outlet !== this.#outlets[at]?.outlet) return false
    return true
  }

  /** Takes outlets in the place of those that were there. Gives the number of records that the ones which left held. */
  #change(outlets: readonly Pick<OutletReport, 'outlet'>[]): number {
    const left = this.#outlets
    const before = left.length === 0 ? NOTHING : Object.assign(new Part(), this.#link)
    this.#outlets = outlets.map(({ outlet: name }) => {
      const at = left.findIndex(({ outlet }) => outlet === name)
      return left.splice(at, at < 0 ? 0 : 1)[0] ?? new OutletPart(name, before)
    })
    for (const { out } of left) this.#pushedBefore += out
    return left.reduce((sum, { held }) => sum + Math.max(0, held), 0)
  }
}

function accountOf(link: Part, outlet: OutletPart): OutletAccount {
  const { before } = outlet
  const found = Math.max(0, before.held)
  const held = found + link.held - before.held + outlet.held
  // what it let go of beyond that is of another transfer, whose report is still to come
  let short = Math.max(0, -held)
  const own = (records: number) => {
    const others = Math.min(short, Math.max(0, records))
    short -= others
    return records - others
  }
  const pushed = own(outlet.out)
  const waiting = Math.min(outlet.waiting, Math.max(0, held))
  return {
    outlet: outlet.outlet,
    pulled: link.in - before.in,
    added: found + link.added - before.added + outlet.added,
    filtered: own(link.filtered - before.filtered + outlet.filtered),
    pushed,
    dropped: own(link.dropped - before.dropped + outlet.dropped),
    lost: own(link.lost - before.lost + outlet.lost),
    buffered: Math.max(0, held) - waiting,
    ...present({
      dead: own(link.dead - before.dead + outlet.dead),
      replayed: link.replayed - before.replayed + outlet.replayed,
      waiting,
      pulledAgain: own(link.again - before.again + outlet.again),
    }),
  }
}

/** The counts that are not 0: what only links with `delivery` have is absent elsewhere. */
function present<K extends string>(counts: { readonly [_ in K]: number }): { readonly [_ in K]?: number } {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)) as { [_ in K]?: number }
}

/** Part of the account of a link that is one of an outlet which it shares. */
export type SharedPart = Pick<OutletPart, 'held' | 'out' | 'dropped' | 'filtered' | 'lost' | 'dead'>

/** Ways in which records leave an outlet's buffers. */
const WAYS = ['out', 'dropped', 'filtered', 'lost', 'dead'] as const

/**
 * Settles the accounts of links that share an outlet: what one let go of beyond its own records goes to those that hold
 * some, as these were theirs.
 */
export function settle(parts: readonly SharedPart[]): void {
  for (const short of parts) {
    for (const other of parts) {
      if (short.held >= 0) break
      for (const way of WAYS) {
        const records = Math.max(0, Math.min(-short.held, other.held, short[way]))
        short[way] -= records
        other[way] += records
      }
    }
  }
}

/** Adds up the accounts of the same outlets, as of a link that was in a planner twice. */
export function addAccounts(some: readonly OutletAccount[], others: readonly OutletAccount[]): OutletAccount[] {
  return some.map((one, at) => {
    const other = others[at] as OutletAccount
    return {
      outlet: one.outlet,
      pulled: one.pulled + other.pulled,
      added: one.added + other.added,
      filtered: one.filtered + other.filtered,
      pushed: one.pushed + other.pushed,
      dropped: one.dropped + other.dropped,
      lost: one.lost + other.lost,
      buffered: one.buffered + other.buffered,
      ...present({
        dead: (one.dead ?? 0) + (other.dead ?? 0),
        replayed: (one.replayed ?? 0) + (other.replayed ?? 0),
        waiting: (one.waiting ?? 0) + (other.waiting ?? 0),
        pulledAgain: (one.pulledAgain ?? 0) + (other.pulledAgain ?? 0),
      }),
    }
  })
}
