/** Troubles of links that are told, and `stopped` of the planner. */
export const ALERT_KINDS = [
  'failing',
  'blocked',
  'notStarted',
  'quarantined',
  'late',
  'deadLetters',
  'stopped',
] as const

/**
 * Trouble that is told: `failing` transfers in a row, a link that is `blocked`, was `notStarted`, is `quarantined`, is `late`, or
 * makes `deadLetters`; and a planner that was `stopped` by an error.
 */
export type AlertKind = (typeof ALERT_KINDS)[number]

/** Limits of {@link AlertStates}. Lengths of time are in milliseconds. */
export interface AlertLimits {
  /** Number of failures in a row that are trouble. */
  readonly failures: number
  /** Number of transfers in a row without trouble that end it. */
  readonly successes: number
  /** Time for which a link has to be blocked. */
  readonly blockedFor: number
  /** Time for which further changes are waited for, to be told together. */
  readonly groupWait: number
  /** Least time between two messages that tell the same trouble of a link to have begun. */
  readonly pause: number
}

/** Change of a trouble that is to be told. */
export interface AlertChange<D> {
  readonly kind: AlertKind
  /** Name of the link; `''` for the planner. */
  readonly link: string
  /** Whether the trouble began, rather than ended. */
  readonly isTrouble: boolean
  /** When it began, in milliseconds since 1970. */
  readonly since: number
  /** When it ended, in milliseconds since 1970, if it has: the message about that comes later. */
  readonly until: number
  /** Number of times that it has begun since it was told last. */
  readonly times: number
  /** What was said of it last. */
  readonly detail: D
}

/** One trouble of one link. */
interface Cell<D> {
  readonly kind: AlertKind
  readonly link: string
  /** Number of bad signs in a row, until it is trouble. */
  bad: number
  /** Number of good signs in a row, while it is trouble. */
  good: number
  isTrouble: boolean
  /** Whether the last message said that it is trouble. */
  isTold: boolean
  since: number
  times: number
  /** When a change may be told. */
  dueAt: number
  /** When trouble was told last. */
  toldAt: number
  detail: D
}

/**
 * Troubles of links: finds out which changes are to be told, and when. A pure machine: it has no clock, and each call is given the
 * time.
 *
 * ```
 *   fine --- failures in a row, or for some time ---> trouble     told after `groupWait`, with what else is due;
 *     ^                                                  |        again only `pause` after it was told last
 *     +------------- successes in a row -----------------+
 * ```
 *
 * What changes back before it is told is not told: a link that flaps is told once in a `pause`.
 *
 * @typeParam D - what is said of a trouble
 */
export class AlertStates<D> {
  readonly #limits: AlertLimits
  /** Troubles by their links. A link that never had any is not among them. */
  readonly #links = new Map<string, Map<AlertKind, Cell<D>>>()
  /** Troubles whose state is not the one that was told. */
  readonly #changed = new Set<Cell<D>>()

  constructor(limits: AlertLimits) {
    this.#limits = limits
  }

  /** Whether a link has, or has had, trouble: only then a good sign says anything. */
  knows(link: string): boolean {
    return this.#links.has(link)
  }

  /**
   * Notes a sign of trouble.
   *
   * @returns whether {@link AlertStates.nextAt} may be another one now
   */
  bad(kind: AlertKind, link: string, detail: D, now: number): boolean {
    const cells = this.#links.get(link) ?? new Map<AlertKind, Cell<D>>()
    this.#links.set(link, cells)
    let cell = cells.get(kind)
    if (cell === undefined) {
      const never = { since: now, times: 0, dueAt: now, toldAt: -Infinity }
      cell = { kind, link, bad: 0, good: 0, isTrouble: false, isTold: false, ...never, detail }
      cells.set(kind, cell)
    }
    cell.detail = detail
    cell.good = 0
    if (cell.isTrouble) return false
    if (cell.bad === 0 && !cell.isTold) cell.since = now
    cell.bad++
    if (cell.bad < (kind === 'failing' ? this.#limits.failures : 1)) return false
    cell.isTrouble = true
    cell.times++
    const held = kind === 'blocked' ? now + this.#limits.blockedFor : now
    cell.dueAt = Math.max(held, cell.toldAt + this.#limits.pause)
    this.#noteChange(cell)
    return true
  }

  /**
   * Notes a sign that a trouble is over.
   *
   * @param atOnce - whether one such sign is enough
   * @returns whether {@link AlertStates.nextAt} may be another one now
   */
  good(kind: AlertKind, link: string, now: number, atOnce = false): boolean {
    const cell = this.#links.get(link)?.get(kind)
    if (cell === undefined) return false
    cell.bad = 0
    if (!cell.isTrouble) return false
    cell.good++
    if (!atOnce && cell.good < this.#limits.successes) return false
    cell.isTrouble = false
    cell.dueAt = now
    this.#noteChange(cell)
    return true
  }

  /** Time at which {@link AlertStates.take} has something to tell; `undefined` when nothing is to be told. */
  get nextAt(): number | undefined {
    let next = Infinity
    for (const { dueAt } of this.#changed) next = Math.min(next, dueAt)
    return next === Infinity ? undefined : next + this.#limits.groupWait
  }

  /**
   * Takes the changes that are to be told, if it is time.
   *
   * @param isLast - whether all that is due is told at once, as nothing follows
   */
  take(now: number, isLast = false): AlertChange<D>[] {
    const { nextAt } = this
    if (nextAt === undefined || (nextAt > now && !isLast)) return []
    const due = [...this.#changed].filter(({ dueAt }) => dueAt <= now)
    return due.map((cell) => {
      this.#changed.delete(cell)
      const { kind, link, isTrouble, since, dueAt: until, times, detail } = cell
      cell.isTold = isTrouble
      cell.times = 0
      if (isTrouble) cell.toldAt = now
      return { kind, link, isTrouble, since, until, times, detail }
    })
  }

  /** Forgets the links that are none any more. Their troubles are not told to end. */
  keepOnly(isLink: (name: string) => boolean): void {
    for (const [link, cells] of this.#links) {
      if (link === '' || isLink(link)) continue
      this.#links.delete(link)
      for (const cell of cells.values()) this.#changed.delete(cell)
    }
  }

  #noteChange(cell: Cell<D>): void {
    if (cell.isTrouble === cell.isTold) this.#changed.delete(cell)
    else this.#changed.add(cell)
  }
}
