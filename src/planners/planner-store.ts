import { InvalidOptionError } from '../base/errors.js'
import { importLater } from '../base/libraries.js'
import { getLogger } from '../base/log.js'
import { isLink } from '../core/link.js'
import type { PlannedLink } from '../core/planned-link.js'
import type { OwnedStore } from '../store/store.js'

const importStore = () => import('../store/store.js')
const importDelivery = () => import('../delivery/durable-links.js')

/**
 * The store of a planner: the planner owns it while it is started, and its threads open it beside. Live links write to it
 * by the main thread's connection.
 */
export class PlannerStore {
  readonly #folder: string | undefined
  #owned: OwnedStore | undefined
  #saidLive = false

  /** @param folder - folder of the store; `undefined` for none */
  constructor(folder: string | undefined) {
    this.#folder = folder
  }

  /**
   * Makes this process the owner of the store, if there is to be one.
   *
   * @throws {@link StoreOwnedError} when it has an owner
   */
  async own(): Promise<void> {
    if (this.#folder === undefined) return
    const { ownStore } = await importLater(importStore)
    this.#owned = await ownStore(this.#folder)
  }

  /** Lets another process have the store. */
  release(): void {
    this.#owned?.release()
    this.#owned = undefined
  }

  /**
   * Prepares links with `delivery` that are to be started.
   *
   * @param all - the links that the planner has, these among them or not
   * @throws {@link InvalidOptionError} when two links have one id, one of them with `delivery`
   */
  async prepare(links: readonly PlannedLink[], all: readonly PlannedLink[]): Promise<void> {
    const durable = links.filter(({ settings }) => isDurable(settings.delivery))
    if (durable.length === 0) return
    checkIds(durable, all)
    const live = durable.filter(isLink)
    if (live.length === 0) return
    const { DurableLinks } = await importLater(importDelivery)
    const opened = new DurableLinks(this.#owned?.store)
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

function isDurable(delivery: string | undefined): boolean {
  return delivery !== undefined && delivery !== 'memory'
}

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
  return new InvalidOptionError('id', 'a name that no other link of the planner has, as it has delivery', id)
}
