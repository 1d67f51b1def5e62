import { counted, isOrAre } from '../base/counted.js'
import { InvalidNodeError, InvalidOptionError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import type { Inlet } from '../core/inlet.js'
import type { Link } from '../core/link.js'
import { nodeName } from '../core/node.js'
import { forget } from '../core/transfer/holdings.js'
import { acceptSize, bufferedBy } from '../core/transfer/process.js'
import { openStore, type Store } from '../store/store.js'
import { NoCursorError, NoStoreError } from './errors.js'
import { LinkDelivery } from './link-delivery.js'
import { PartStates } from './part-states.js'

/** The open links of a thread that have `delivery`, with the thread's connection to the store. Loaded with the first. */
export class DurableLinks {
  readonly #open: () => Promise<Store>
  /** Links that are open, by their inlets. */
  readonly #links = new Map<Inlet, Link>()
  #store: Promise<Store> | undefined

  /** @param store - folder of the store, or the open store; `undefined` when the planner has none */
  constructor(store: string | Store | undefined) {
    this.#open = () => {
      if (typeof store === 'string') return openStore(store)
      if (store !== undefined) return Promise.resolve(store)
      const expected = "the option store of the planner, as in { store: './.databay' }, or databay run --store"
      return Promise.reject(new NoStoreError(`there is no store for links with delivery: expected ${expected}`))
    }
  }

  /**
   * Opens a link in the store, before it is started.
   *
   * @param others - links that are open in this thread
   * @throws {@link NoStoreError}, {@link NoCursorError}, {@link CursorVersionError}
   * @throws {@link InvalidNodeError} when another link has one of its inlets
   */
  async open(link: Link, others: Iterable<Link>): Promise<void> {
    const { delivery } = link.settings
    if (link.id === undefined)
      throw new InvalidOptionError('id', `a name for a link with delivery: '${delivery}'`, link.id)
    for (const inlet of link.inlets) {
      if (inlet.hasCursor) continue
      const advice = [
        'it cannot say how far it has come. Give the pull of an inlet of yours a cursor, FileInlet the mode line,',
        'HttpInlet since or conditional, MongoInlet a cursorField, PostgresInlet a cursorColumn',
      ].join(' ')
      throw new NoCursorError(`${nodeName(inlet)} of ${link.name} has no cursor: ${advice}`)
    }
    for (const other of others) if (other !== link) checkShared(link, other)
    const store = await this.#opened()
    dropBuffered(link)
    link.setDelivery(await LinkDelivery.open(link, store, new PartStates(link)))
    for (const inlet of link.inlets) this.#links.set(inlet, link)
  }

  /**
   * Checks a link without `delivery`, which is opened.
   *
   * @throws {@link InvalidNodeError} when a link with `delivery` has one of its inlets
   */
  check(link: Link): void {
    for (const inlet of link.inlets) {
      const durable = this.#links.get(inlet)
      if (durable !== undefined && durable !== link) checkShared(durable, link)
    }
  }

  /** Notes that a link is closed. */
  close(link: Link): void {
    for (const [inlet, one] of this.#links) if (one === link) this.#links.delete(inlet)
    link.unsettled.delivery?.close()
    link.setDelivery(undefined)
  }

  /** Closes the connection. */
  async end(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    const opened = await store?.catch(() => undefined)
    opened?.close()
  }

  #opened(): Promise<Store> {
    this.#store ??= this.#open().catch((error: unknown) => {
      this.#store = undefined
      throw error
    })
    return this.#store
  }
}

function checkShared(durable: Link, other: Link): void {
  const others: readonly Inlet[] = other.inlets
  for (const inlet of durable.inlets) {
    if (!others.includes(inlet)) continue
    const why = `with delivery: '${durable.settings.delivery}', a link has its inlets for itself`
    throw new InvalidNodeError(`${nodeName(inlet)} is in ${durable.name} and in ${other.name}: ${why}`)
  }
}

/** Has the buffers of a link drop what they hold of an earlier opening: it is pulled again. */
function dropBuffered(link: Link): void {
  const own = link.outlets.filter((outlet) => !outlet.active)
  const processors = [link, ...own].flatMap((one) => one.processors)
  link.unsettled.clear()
  for (const processor of processors) {
    if (typeof processor !== 'object') continue
    forget(processor, link.unsettled)
    const held = bufferedBy([processor])
    if (held === 0) continue
    processor.reset?.()
    acceptSize(processor)
    getLogger('databay.Delivery').info(
      `${link.name}: ${counted(held, 'record')} in its buffers ${isOrAre(held)} pulled again`,
    )
  }
}
