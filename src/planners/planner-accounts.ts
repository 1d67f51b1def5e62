import { counted, isOrAre } from '../base/counted.js'
import { getLogger } from '../base/log.js'
import { isLink } from '../core/link.js'
import { addAccounts, LinkAccounts, settle, type OutletAccount, type SharedPart } from '../core/link-accounts.js'
import { nodeName } from '../core/node.js'
import { isDurable, type PlannedLink } from '../core/planned-link.js'
import type { AnyProcessor } from '../core/processor.js'
import type { TransferReport } from '../core/report.js'
import { bufferedBy } from '../core/transfer/process.js'
import type { RemovedLinkStats } from '../operate/planner-stats.js'

/** Most names of links that have left of which the accounts are kept. */
const MOST_REMOVED = 1000

const NONE: ReadonlySet<unknown> = new Set()

/** Most names of links that a line of the log has. */
const MOST_NAMES = 5

/** A link that has left while its outlets serve others, and hold records of it. */
interface Leaving {
  readonly link: string
  /** Whether what it holds is pulled again. */
  readonly isDurable: boolean
  readonly accounts: LinkAccounts
  readonly outlets: readonly unknown[]
}

/** Accounts of the records of a planner's links, also of those that have left it. */
export class PlannerAccounts {
  readonly #links: () => Iterable<PlannedLink>
  /** Accounts of links that do not keep their own. */
  readonly #own = new WeakMap<PlannedLink, LinkAccounts>()
  readonly #removed = new Map<string, RemovedLinkStats>()
  #leaving: Leaving[] = []
  /** Less than 0 while what was told to be lost is known to be pushed, and its loss is still to be counted. */
  #lost = 0
  /** Numbers of records of links with `delivery` that are gone from memory, and in no line of the log yet. */
  readonly #again = new Map<string, number>()

  /** @param links - gives the links that are in the planner */
  constructor(links: () => Iterable<PlannedLink> = () => []) {
    this.#links = links
  }

  /** Records that were lost outside of transfers. */
  get lost(): number {
    return Math.max(0, this.#lost)
  }

  /** Accounts of links that have left. */
  get removed(): RemovedLinkStats[] {
    const removed = new Map(this.#removed)
    for (const { link, accounts } of this.#leaving) keep(removed, link, accounts.read())
    return [...removed.values()]
  }

  /** What became of a link's records, for each of its outlets. */
  read(link: PlannedLink): OutletAccount[] {
    return this.#of(link)?.read() ?? []
  }

  /** Number of records that a live link holds in buffers; `undefined` for others, and before its first transfer. */
  held(link: PlannedLink): number | undefined {
    const own = isLink(link) ? this.#own.get(link) : undefined
    return own && own.held - own.waiting
  }

  /** Sums of what became of a link's records; `undefined` before the first report. */
  sums(link: PlannedLink): Pick<LinkAccounts, 'pulled' | 'pushed' | 'dropped' | 'dead'> | undefined {
    return this.#of(link)
  }

  /** Numbers of a link's records that wait, and of its dead letters, and of those that were run again; 0 are left out. */
  undelivered(link: PlannedLink): { readonly waiting?: number; readonly dead?: number; readonly replayed?: number } {
    const accounts = isDurable(link) ? this.#of(link) : undefined
    if (accounts === undefined) return {}
    const { waiting, dead, replayed } = accounts
    return { ...(waiting > 0 && { waiting }), ...(dead > 0 && { dead }), ...(replayed > 0 && { replayed }) }
  }

  /** Takes the report of a link's transfer. */
  add(link: PlannedLink, report: TransferReport): void {
    // some have taken the report themselves
    const accounts = link.accounts ?? ownOf(link, this.#own)
    const lost = link.accounts === undefined ? accounts.add(report) : 0
    if (lost > 0) this.lose(lost)
    if (accounts.isShort) this.settle()
  }

  /** Gives what outlets let go of that links share to the links whose records it was. */
  settle(): void {
    const shares = new Map<unknown, SharedPart[]>()
    let isShort = false
    for (const { accounts, outlets } of this.#all()) {
      isShort ||= accounts.isShort
      for (const [at, outlet] of outlets.entries()) {
        const part = accounts.outlet(at)
        if (part === undefined) break
        const parts = shares.get(outlet)
        if (parts === undefined) shares.set(outlet, [part])
        else parts.push(part)
      }
    }
    if (!isShort) return
    for (const parts of shares.values()) settle(parts)
    this.#endLeaving()
  }

  /** Takes the report of a transfer of a link that has left: what was told to be lost may have been pushed after all. */
  addLate(link: PlannedLink, report: TransferReport): void {
    const late = new LinkAccounts()
    late.add(report)
    if (isDurable(link)) late.pullAgain(late.where)
    else this.#lost += late.lose(late.where)
    this.#keep(link.name, late.read())
  }

  /** Takes note of what is in the buffers of links that begin. */
  find(links: readonly PlannedLink[]): void {
    const seen = new Set<object>()
    let others: Map<unknown, number> | undefined
    for (const link of links) {
      // with `delivery`, what is in buffers is dropped as it is opened, and pulled again
      if (!isLink(link) || isDurable(link)) continue
      const outlets = link.outlets
      const held = [link, ...outlets].map((node) => {
        const records = buffered(node.processors, seen)
        if (records === 0) return 0
        others ??= this.#heldBesides(links)
        return Math.max(0, records - (others.get(node) ?? 0))
      })
      const names = outlets.map((outlet) => ({ outlet: nodeName(outlet) }))
      if (this.#own.has(link) || held.some((records) => records > 0)) ownOf(link, this.#own).find(held, names)
    }
  }

  /** Counts records that were lost, of which a link has taken note. */
  lose(records: number): void {
    this.#lost += records
  }

  /**
   * Counts what links hold in buffers as lost.
   *
   * @param why - the reason, for the log
   */
  loseHeld(links: readonly PlannedLink[], why: string): void {
    // to settle looks at all links, and links may leave one by one
    if (this.#leaving.length === 0 && links.every((link) => this.#of(link)?.isEven ?? true)) return
    this.settle()
    for (const link of links) this.#lose(link.name, this.#of(link), why, isDurable(link))
    this.#endLeaving(why)
  }

  /**
   * Closes the accounts of a link that leaves: what it holds in buffers is lost, but for what is in those of outlets that
   * serve other links. These records are accounted for when they leave the outlet.
   */
  close(link: PlannedLink, why: string): void {
    const accounts = this.#of(link)
    if (accounts === undefined) return
    const outlets = outletsOf(link)
    if (!accounts.isEven) {
      this.settle()
      this.#lose(link.name, accounts, why, isDurable(link), this.#outletsInUse(link), outlets)
    }
    this.#own.delete(link)
    if (holds(accounts)) this.#leaving.push({ link: link.name, isDurable: isDurable(link), accounts, outlets })
    else this.#keep(link.name, accounts.read())
    this.#endLeaving(why, link)
  }

  /** Loses what a link holds in buffers, but for those of outlets that are in use. */
  #lose(
    name: string,
    accounts: LinkAccounts | undefined,
    why: string,
    isPulledAgain: boolean,
    used = NONE,
    outlets: readonly unknown[] = [],
  ) {
    const held = accounts?.where.map((records, at) => (at > 0 && used.has(outlets[at - 1]) ? 0 : Math.max(0, records)))
    if (isPulledAgain) {
      const again = accounts?.pullAgain(held) ?? 0
      if (again > 0) this.#again.set(name, (this.#again.get(name) ?? 0) + again)
      return
    }
    const lost = accounts?.lose(held) ?? 0
    this.#lost += lost
    if (lost > 0)
      getLogger('databay.BasePlanner').error(
        `${name}: ${counted(lost, 'record')} in its buffers ${isOrAre(lost)} lost: ${why}`,
      )
  }

  /**
   * Logs, in one line for all links, how many records are pulled again.
   *
   * @param when - when they are, in words
   */
  sayPulledAgain(when: string): void {
    if (this.#again.size === 0) return
    const sum = [...this.#again.values()].reduce((all, records) => all + records, 0)
    const names = [...this.#again.keys()]
    const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more links` : ''
    this.#again.clear()
    const whose = `${names.slice(0, MOST_NAMES).join(', ')}${more}`
    getLogger('databay.BasePlanner').info(
      `${counted(sum, 'record')} of ${whose} ${isOrAre(sum)} pulled again ${when}: not all outlets have them`,
    )
  }

  /**
   * Closes the accounts of links that have left, where their outlets hold nothing of theirs any more.
   *
   * @param why - the reason for which outlets lose what they hold. Default: they do not
   * @param left - link that leaves; without it all links have stopped
   */
  #endLeaving(why?: string, left?: PlannedLink): void {
    if (this.#leaving.length === 0) return
    const used = left === undefined ? NONE : this.#outletsInUse(left)
    this.#leaving = this.#leaving.filter(({ link, isDurable, accounts, outlets }) => {
      if (why !== undefined) this.#lose(link, accounts, why, isDurable, used, outlets)
      if (holds(accounts)) return true
      this.#keep(link, accounts.read())
      return false
    })
  }

  /** Outlets of all links but one. */
  #outletsInUse(left: PlannedLink): ReadonlySet<unknown> {
    const used = new Set<unknown>()
    for (const link of this.#links()) if (link !== left) for (const outlet of outletsOf(link)) used.add(outlet)
    return used
  }

  /** Number of records that outlets hold of links other than these. */
  #heldBesides(links: readonly PlannedLink[]): Map<unknown, number> {
    const held = new Map<unknown, number>()
    for (const { accounts, outlets } of this.#all(new Set(links))) {
      for (const [at, outlet] of outlets.entries()) {
        held.set(outlet, (held.get(outlet) ?? 0) + Math.max(0, accounts.outlet(at)?.held ?? 0))
      }
    }
    return held
  }

  /** Accounts of links, also of those that have left while their outlets hold records of theirs. */
  *#all(besides: ReadonlySet<unknown> = NONE): Iterable<Pick<Leaving, 'accounts' | 'outlets'>> {
    for (const link of this.#links()) {
      const accounts = this.#of(link)
      if (accounts !== undefined && !besides.has(link)) yield { accounts, outlets: outletsOf(link) }
    }
    yield* this.#leaving
  }

  #of(link: PlannedLink): LinkAccounts | undefined {
    return link.accounts ?? this.#own.get(link)
  }

  #keep(link: string, outlets: OutletAccount[]): void {
    keep(this.#removed, link, outlets)
    if (this.#removed.size <= MOST_REMOVED) return
    for (const oldest of this.#removed.keys()) {
      this.#removed.delete(oldest)
      break
    }
  }
}

/** Whether buffers hold records of a link. */
function holds(accounts: LinkAccounts): boolean {
  return accounts.where.some((records) => records > 0)
}

/** Adds the accounts of a link that has left to those of its name. */
function keep(removed: Map<string, RemovedLinkStats>, link: string, outlets: OutletAccount[]): void {
  if (outlets.length === 0) return
  // a link whose outlets have changed is another
  const key = [link, ...outlets.map(({ outlet }) => outlet)].join('\n')
  const before = removed.get(key)
  removed.delete(key)
  removed.set(key, { link, outlets: before === undefined ? outlets : addAccounts(before.outlets, outlets) })
}

function ownOf(link: PlannedLink, own: WeakMap<PlannedLink, LinkAccounts>): LinkAccounts {
  let accounts = own.get(link)
  if (accounts === undefined) own.set(link, (accounts = new LinkAccounts()))
  return accounts
}

/** The outlets of a link, or what stands for them: those that links share are the same. */
function outletsOf(link: PlannedLink): readonly unknown[] {
  return isLink(link) ? link.outlets : (link.outletInstances ?? [])
}

/**
 * Number of records that processors hold; 0 when one of them cannot tell.
 *
 * @param seen - processors that were counted before: they are left out, and these are added
 */
function buffered(processors: readonly AnyProcessor[], seen: Set<object>): number {
  const fresh = processors.filter((processor) => !seen.has(processor))
  for (const processor of fresh) seen.add(processor)
  try {
    return bufferedBy(fresh)
  } catch {
    return 0
  }
}
