import { InvalidNodeError, InvalidOptionError } from '../base/errors.js'
import { importLater } from '../base/libraries.js'
import { getLogger } from '../base/log.js'
import { isLink } from '../core/link.js'
import { nodeName } from '../core/node.js'
import { isDurable, type PlannedLink } from '../core/planned-link.js'
import type { TransferReport } from '../core/report.js'
import type { Ledger } from '../store/ledger/ledger.js'
import type { Reclaimer } from '../store/reclaimer.js'
import type { OwnedStore } from '../store/store.js'
import { CatchUp, checkCatchUp } from './catch-up.js'

const importStore = () => import('../store/store.js')
const importErrors = () => import('../store/errors.js')
const importLastDue = () => import('../store/last-due.js')
const importReclaimer = () => import('../store/reclaimer.js')
const importLedger = () => import('../store/ledger/ledger.js')
const importDelivery = () => import('../delivery/durable-links.js')

/**
 * The store of a planner: the planner owns it while it is started, and its threads open it beside. Live links write to it
 * by the main thread's connection.
 */
export class PlannerStore {
  readonly #folder: string | undefined
  readonly #now: () => number
  readonly #isDryRun: boolean
  #owned: OwnedStore | undefined
  /** Frees the store when it is damaged. */
  #releaseDamaged: (() => void) | undefined
  #ledger: Ledger | undefined
  #catchUp: CatchUp | undefined
  #reclaimer: Reclaimer | undefined
  #saidLive = false

  /**
   * @param folder - folder of the store; `undefined` for none
   * @param now - the wall clock
   * @param isDryRun - whether nothing is kept
   */
  constructor(folder: string | undefined, now: () => number = Date.now, isDryRun = false) {
    this.#folder = isDryRun ? undefined : folder
    this.#now = now
    this.#isDryRun = isDryRun
  }

  /** What makes up for runs that were due while the process was down; `undefined` without a store. */
  get catchUp(): CatchUp | undefined {
    return this.#catchUp
  }

  /**
   * Makes this process the owner of the store, if there is to be one. When the store is damaged, links without `delivery` run
   * all the same: only the others need it, and fail to start.
   *
   * @throws {@link StoreOwnedError} when it has an owner
   */
  async own(): Promise<void> {
    if (this.#folder === undefined) return
    const { ownDamaged, ownStore } = await importLater(importStore)
    const { StoreCorruptError } = await importLater(importErrors)
    const { LastDueTimes } = await importLater(importLastDue)
    const { Ledger } = await importLater(importLedger)
    const { Reclaimer } = await importLater(importReclaimer)
    try {
      this.#owned = await ownStore(this.#folder)
    } catch (error) {
      if (!(error instanceof StoreCorruptError)) throw error
      this.#releaseDamaged = await ownDamaged(this.#folder)
      getLogger('databay.BasePlanner').error(`links with delivery do not start: ${error.message}`)
      return
    }
    const { store } = this.#owned
    this.#catchUp = new CatchUp(new LastDueTimes(store), this.#now)
    this.#ledger = await Ledger.open(store.files.ledger)
    this.#reclaimer = new Reclaimer(store)
  }

  /** Lets another process have the store. */
  release(): void {
    this.#reclaimer?.stop()
    this.#reclaimer = undefined
    this.#ledger?.close()
    this.#ledger = undefined
    this.#catchUp = undefined
    this.#owned?.release()
    this.#owned = undefined
    this.#releaseDamaged?.()
    this.#releaseDamaged = undefined
  }

  /** Takes the report of a transfer into the ledger. */
  keep(report: TransferReport, isDrain: boolean): void {
    if (isDrain) this.#ledger?.addDrain(report)
    else this.#ledger?.add(report)
  }

  /** Takes note of a link that is about to be scheduled. */
  scheduled(link: PlannedLink): void {
    this.#ledger?.addLink(link.name, link.schedule, isDurable(link))
    this.#catchUp?.look(link)
  }

  /** Takes note that a link is removed. */
  removed(link: PlannedLink): void {
    this.#ledger?.removeLink(link.name)
  }

  /**
   * Prepares links with `delivery` that are to be started.
   *
   * @param all - the links that the planner has, these among them or not
   * @throws {@link InvalidOptionError} when two links have one id, one of them with `delivery` or `catchUp`
   * @throws {@link InvalidNodeError} when two links share an inlet, one of them with `delivery`
   */
  async prepare(links: readonly PlannedLink[], all: readonly PlannedLink[]): Promise<void> {
    if (!this.#isDryRun) checkCatchUp(links, this.#folder !== undefined)
    if (!this.#isDryRun) checkInlets(all)
    const kept = links.filter((link) => isDurable(link) || link.settings.catchUp === true)
    if (kept.length === 0) return
    checkIds(kept, all)
    const durable = kept.filter(isDurable)
    const live = durable.filter(isLink)
    if (live.length === 0) return
    const { DurableLinks } = await importLater(importDelivery)
    const opened = new DurableLinks(this.#owned?.store ?? this.#folder)
    for (const link of live) {
      link.setOpener({
        open: () => opened.open(link, all.filter(isLink)),
        close: () => {
          opened.close(link)
        },
      })
    }
    this.#sayLive(live)
  }

  #sayLive([link]: readonly PlannedLink[]): void {
    if (link === undefined || this.#saidLive) return
    this.#saidLive = true
    const what = 'what it has delivered is written by the main thread'
    getLogger('databay.BasePlanner').info(`${link.name} is a live link with delivery: ${what}`)
  }
}

/** An inlet has one cursor, which says what one link has delivered. */
function checkInlets(all: readonly PlannedLink[]): void {
  const owners = new Map<unknown, PlannedLink>()
  for (const link of all.filter(isDurable)) {
    for (const inlet of inletsOf(link).keys()) if (!owners.has(inlet)) owners.set(inlet, link)
  }
  if (owners.size === 0) return
  for (const link of all) {
    for (const [inlet, name] of inletsOf(link)) {
      const owner = owners.get(inlet)
      if (owner === undefined || owner === link) continue
      const why = `with delivery: '${owner.settings.delivery ?? ''}', a link has its inlets for itself`
      throw new InvalidNodeError(`${name} is in ${owner.name} and in ${link.name}: ${why}`)
    }
  }
}

/** Inlets of a link, or their numbers in a thread, with their names. */
function inletsOf(link: PlannedLink): ReadonlyMap<unknown, string> {
  if (!isLink(link)) return link.inletInstances ?? NO_INLETS
  return new Map(link.inlets.map((inlet) => [inlet, nodeName(inlet)]))
}

const NO_INLETS: ReadonlyMap<unknown, string> = new Map()

/** What is kept of a link is kept under its id. */
function checkIds(durable: readonly PlannedLink[], all: readonly PlannedLink[]): void {
  const byId = new Map<string, PlannedLink>()
  for (const link of durable) {
    if (link.id === undefined) continue
    const other = byId.get(link.id)
    if (other !== undefined && other !== link) throw sharedId(link.id)
    byId.set(link.id, link)
  }
  for (const link of all) {
    const other = link.id === undefined ? undefined : byId.get(link.id)
    if (other !== undefined && other !== link) throw sharedId(other.id)
  }
}

function sharedId(id: string | undefined): InvalidOptionError {
  return new InvalidOptionError('id', 'a name that no other link of the planner has, as it has delivery or catchUp', id)
}
