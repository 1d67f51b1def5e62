import { ImplementationError, ShutdownTimeoutError, StartTimeoutError, toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import { plainError, type PlainError } from '../../base/plain-error.js'
import type { Link } from '../../core/link.js'
import type { OpenRequest, ThreadSetup } from '../protocol/messages.js'
import type { Attribution } from './attribution.js'
import { reset, restore, stateOf, type LinkState } from './link-state.js'
import { findLink, type LinksByName, type LoadedModules } from './loaded-modules.js'
import type { TimeLimits } from './time-limits.js'

/** A link that is open in this thread. */
export interface OpenLink {
  readonly link: Link
  /** See {@link Attribution.insideOf}. */
  readonly inside: (inside: boolean) => void
  /** Time that its last transfer held the event loop, in milliseconds. */
  busy: number
  /** Why transfers up to a number were told to stop: some of them may come only then. */
  stopped: { readonly upTo: number; readonly reason: Error } | undefined
}

type Timeouts = Pick<ThreadSetup, 'startTimeout' | 'shutdownTimeout'>

/** The links that are open in this thread, by their ids: opens them, closes them, and hands their state off. */
export class OpenLinks {
  readonly #modules: Pick<LoadedModules, 'load'>
  readonly #limits: Pick<TimeLimits, 'within'>
  readonly #attribution: Pick<Attribution, 'enter' | 'insideOf'>
  readonly #timeouts: Timeouts
  readonly #links = new Map<number, OpenLink>()

  constructor(
    modules: Pick<LoadedModules, 'load'>,
    limits: Pick<TimeLimits, 'within'>,
    attribution: Pick<Attribution, 'enter' | 'insideOf'>,
    timeouts: Timeouts,
  ) {
    this.#modules = modules
    this.#limits = limits
    this.#attribution = attribution
    this.#timeouts = timeouts
  }

  /** The open link of an id. */
  get(id: number): OpenLink | undefined {
    return this.#links.get(id)
  }

  /**
   * Opens links, all at once. There may be thousands: what is there at once is not waited for.
   *
   * @returns for each link `null`, or the error of one that failed
   */
  async open(requests: readonly OpenRequest[]): Promise<(PlainError | null)[]> {
    const errors = new Array<PlainError | null>(requests.length).fill(null)
    const places = new Map<string, number[]>()
    let last: { readonly module: string; readonly places: number[] } | undefined
    for (const [at, { module }] of requests.entries()) {
      // links of one module mostly follow each other
      if (module !== last?.module) {
        last = { module, places: places.get(module) ?? [] }
        places.set(module, last.places)
      }
      last.places.push(at)
    }
    await Promise.all([...places].map(([module, some]) => this.#openOf(module, some, requests, errors)))
    return errors
  }

  /**
   * Closes links, in this order.
   *
   * @returns for each link `null`, or the error of one that failed
   */
  close(ids: readonly number[]): Promise<(PlainError | null)[]> {
    return Promise.all(ids.map((id) => errorOf(this.#close(id))))
  }

  /**
   * Closes links, and gives the state that their parts hand off. What several links share is in the state of the first.
   *
   * @returns the state of each link. When one cannot hand off its state, this rejects and all of them stay open
   */
  async handOff(ids: readonly number[]): Promise<LinkState[]> {
    const open = ids.map((id) => {
      const one = this.#links.get(id)
      if (one === undefined) throw new ImplementationError(`link ${id} is not open in this thread`)
      return one
    })
    // a state that cannot be cloned is found before anything is closed; and a processor may go on to change what it
    // gave
    const states = structuredClone(await this.#save(ids, open))
    // otherwise the link would say at its shutdown that records are lost, and have them twice if it came back to this
    // thread
    await Promise.all(open.map(({ link }) => reset(link)))
    for (const [at, id] of ids.entries()) {
      try {
        await this.#close(id)
      } catch (thrown) {
        // it is closed as far as it can be, and its state must get to the other thread
        const name = open[at]?.link.name ?? ''
        getLogger('databay.LinkHost').error({ err: toError(thrown) }, `${name} failed to shut down to be moved`)
      }
    }
    return states
  }

  /** Tells the transfers of a link to stop, up to that of a number, and those that come later too. */
  cancel(id: number, upTo: number, reason: Error): void {
    const open = this.#links.get(id)
    if (open === undefined) return
    open.stopped = { upTo, reason }
    open.link.cancel(reason)
  }

  /** Opens the links of one module: those at some `places` of the `requests`. */
  async #openOf(
    module: string,
    places: readonly number[],
    requests: readonly OpenRequest[],
    errors: (PlainError | null)[],
  ): Promise<void> {
    const later: Promise<void>[] = []
    const links = await Promise.resolve(this.#modules.load(module)).catch(toError)
    for (const at of places) {
      const fail = (thrown: unknown) => {
        errors[at] = plainError(thrown)
      }
      try {
        if (links instanceof Error) throw links
        const opening = this.#open(links, requests[at] as OpenRequest)
        if (opening instanceof Promise) later.push(opening.catch(fail))
      } catch (thrown) {
        fail(thrown)
      }
    }
    await Promise.all(later)
  }

  #open(links: LinksByName, request: OpenRequest): MaybePromise<void> {
    const { id, state } = request
    const link = findLink(links, request)
    const inside = this.#attribution.insideOf(id)
    const { startTimeout } = this.#timeouts
    const late = () => new StartTimeoutError(`${link.name} did not start within ${startTimeout} ms`)
    const start = () =>
      state === undefined ? link.startNow() : then(restore(link, state as LinkState), () => link.startNow())
    const starting = this.#limits.within(startTimeout, late, () => this.#attribution.enter(id, inside, start))
    return then(starting, () => {
      this.#links.set(id, { link, inside, busy: 0, stopped: undefined })
    })
  }

  async #close(id: number): Promise<void> {
    const open = this.#links.get(id)
    this.#links.delete(id)
    if (open === undefined) return
    const { link, inside } = open
    const { shutdownTimeout } = this.#timeouts
    const late = () => new ShutdownTimeoutError(`${link.name} did not shut down within ${shutdownTimeout} ms`)
    const stop = () => link.onShutdown()
    await this.#limits.within(shutdownTimeout, late, () => this.#attribution.enter(id, inside, stop))
  }

  #save(ids: readonly number[], open: readonly OpenLink[]): MaybePromise<LinkState[]> {
    const { shutdownTimeout } = this.#timeouts
    const late = () => new ShutdownTimeoutError(`links did not tell what they keep within ${shutdownTimeout} ms`)
    const saved = new Set<object>()
    return this.#limits.within(shutdownTimeout, late, () =>
      Promise.all(
        open.map(({ link, inside }, at) => this.#attribution.enter(ids[at] ?? 0, inside, () => stateOf(link, saved))),
      ),
    )
  }
}

async function errorOf(work: Promise<void>): Promise<PlainError | null> {
  try {
    await work
    return null
  } catch (thrown) {
    return plainError(thrown)
  }
}
