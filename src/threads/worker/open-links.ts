import { counted, isOrAre } from '../../base/counted.js'
import { importLater } from '../../base/libraries.js'
import { ImplementationError, ShutdownTimeoutError, StartTimeoutError, toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import { plainError, type PlainError } from '../../base/plain-error.js'
import type { Link } from '../../core/link.js'
import { threadTracer } from '../../core/transfer/tracing.js'
import type { Held } from '../../core/link-accounts.js'
import type { Calls, OpenAnswer, ThreadSetup } from '../protocol/messages.js'
import type { OpenRequest } from '../protocol/packed-opens.js'
import type { Attribution } from './attribution.js'
import { PartAnswers, type PartAnswer, type TellPart } from './part-answers.js'
import { heldBy, reset, restoreNodes, restoreProcessors, stateOf, unsaved, type PartStates } from './link-state.js'
import { findLink, type LinksByName, type LoadedModules } from './loaded-modules.js'
import { forgetUnsettled, takeOverUnsettled, unsettledOf, type LinkState } from './unsettled-state.js'
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
  /** Number of the last transfer that was told to end if it streams: some up to that may come only then. */
  endedUpTo: number
}

type Timeouts = Pick<ThreadSetup, 'startTimeout' | 'shutdownTimeout' | 'streamGrace' | 'dryRun' | 'store' | 'telemetry'>

type DurableLinks = import('../../delivery/durable-links.js').DurableLinks

const importDurable = () => import('../../delivery/durable-links.js')

/** The links that are open in this thread, by their ids: opens them, closes them, and hands their state off. */
export class OpenLinks {
  readonly #modules: Pick<LoadedModules, 'loadInTime'>
  readonly #limits: Pick<TimeLimits, 'within'>
  readonly #attribution: Pick<Attribution, 'enter' | 'insideOf'>
  readonly #timeouts: Timeouts
  readonly #links = new Map<number, OpenLink>()
  /** Links whose start took too long, and goes on. */
  readonly #late = new Set<Link>()
  /** Links that have `delivery`; `undefined` before the first is opened. */
  #durable: DurableLinks | undefined

  constructor(
    modules: Pick<LoadedModules, 'loadInTime'>,
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
   * Opens links, all at once, each by itself: none waits for another, nor for the module of another. There may be
   * thousands: what is there at once is not waited for.
   *
   * @param tell - takes the answers of some links while others take longer
   * @returns for each link `null`, or the records of its state that were lost, or the error of one that failed
   */
  async open(requests: readonly OpenRequest[], tell: TellPart = nobodyWaits): Promise<OpenAnswer[]> {
    const answers = new PartAnswers(requests.length, tell)
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
    await Promise.all([...places].map(([module, some]) => this.#openOf(module, some, requests, answers)))
    return answers.end()
  }

  /**
   * Closes links, all at once, in this order: none waits for another.
   *
   * @param tell - takes the answers of some links while others take longer
   * @returns for each link `null`, or the error of one that failed
   */
  async close(ids: readonly number[], tell: TellPart = nobodyWaits): Promise<PartAnswer[]> {
    const answers = new PartAnswers(ids.length, tell)
    await Promise.all(
      ids.map(async (id, at) => {
        answers.add(at, await errorOf(this.#close(id)))
      }),
    )
    return answers.end()
  }

  /**
   * Closes links, and gives the state that their parts hand off. What several links share is in the state of the first.
   *
   * @returns the state of each link, and the records that are in none. When one cannot hand off its state, this rejects
   * and all of them stay open
   */
  async handOff(ids: readonly number[]): Promise<Calls['handOff']['answer']> {
    const open = ids.map((id) => {
      const one = this.#links.get(id)
      if (one === undefined) throw new ImplementationError(`link ${id} is not open in this thread`)
      return one
    })
    // a state that cannot be cloned is found before anything is closed; and a processor may go on to change what it
    // gave
    const states = structuredClone(await this.#save(ids, open))
    const unsettled = open.map(({ link }) => (isDurable(link) ? undefined : unsettledOf(link)))
    // otherwise the link would say at its shutdown that records are lost, and have them twice if it came back to this
    // thread
    await this.#reset(ids, open)
    for (const { link } of open) forgetUnsettled(link)
    const leave = async ({ link: { name } }: OpenLink, at: number) => {
      try {
        await this.#close(ids[at] ?? 0)
      } catch (thrown) {
        // it is closed as far as it can be, and its state must get to the other thread
        getLogger('databay.LinkHost').error({ err: toError(thrown) }, `${name} failed to shut down to be moved`)
      }
    }
    await Promise.all(open.map(leave))
    return {
      states: states.map((parts, at): LinkState => ({ parts, unsettled: unsettled[at] })),
      lost: states.map((state, at) => noteUnsaved(open[at]?.link, state)),
    }
  }

  /** Tells the transfers of a link to stop, up to that of a number, and those that come later too. */
  cancel(id: number, upTo: number, reason: Error): void {
    const open = this.#links.get(id)
    if (open === undefined) return
    open.stopped = { upTo, reason }
    open.link.cancel(reason)
  }

  /** Tells the transfers of a link that stream to end, up to that of a number, and those that come later too. */
  endStreams(id: number, upTo: number): void {
    const open = this.#links.get(id)
    if (open === undefined) return
    open.endedUpTo = upTo
    open.link.endStreams()
  }

  /** Opens the links of one module: those at some `places` of the `requests`. */
  async #openOf(
    module: string,
    places: readonly number[],
    requests: readonly OpenRequest[],
    answers: PartAnswers,
  ): Promise<void> {
    const later: Promise<void>[] = []
    const links = await Promise.resolve(this.#modules.loadInTime(module)).catch(toError)
    for (const at of places) {
      const done = (answer: OpenAnswer) => {
        answers.add(at, answer)
      }
      const fail = (thrown: unknown) => {
        answers.add(at, plainError(thrown))
      }
      try {
        if (links instanceof Error) throw links
        const opening = this.#open(links, requests[at] as OpenRequest)
        if (opening instanceof Promise) later.push(opening.then(done, fail))
        else done(opening)
      } catch (thrown) {
        fail(thrown)
      }
    }
    await Promise.all(later)
  }

  /** Opens a link: its nodes take over their state before they start, its buffers when they have. */
  #open(links: LinksByName, request: OpenRequest): MaybePromise<OpenAnswer> {
    const { id, anyway } = request
    const link = findLink(links, request)
    const inside = this.#attribution.insideOf(id)
    const { startTimeout } = this.#timeouts
    let starting: MaybePromise<void>
    const { parts, unsettled } = (request.state ?? {}) as Partial<LinkState>
    const late = () => new StartTimeoutError(`${link.name} did not start within ${startTimeout} ms`)
    const start = () => {
      starting = then(this.#prepare(link, parts, anyway), () => link.startNow())
      return starting
    }
    this.#late.delete(link) // this start goes on with the one that took too long
    const limited = <T>(work: () => MaybePromise<T>, makeError = late) =>
      this.#limits.within(startTimeout, makeError, () => this.#attribution.enter(id, inside, work))
    const started = limited(start, () => {
      this.#stopLate(link, starting)
      return late()
    })
    const open = (lost: Held | undefined): OpenAnswer => {
      link.setStreamGrace(this.#timeouts.streamGrace)
      if (this.#timeouts.telemetry === true) link.setTracer(threadTracer)
      this.#links.set(id, { link, inside, busy: 0, stopped: undefined, endedUpTo: -1 })
      return lost === undefined ? null : { lost }
    }
    const takeOver = async (states: PartStates) => {
      const lost = await restoreProcessors(link, states, limited)
      if (unsettled !== undefined) takeOverUnsettled(link, unsettled)
      return open(lost)
    }
    return then(started, () => (parts === undefined ? open(undefined) : takeOver(parts)))
  }

  /** Gives a link what it has kept: in the store, with `delivery`, else what another thread has handed off. */
  #prepare(link: Link, parts: PartStates | undefined, anyway: boolean | undefined): MaybePromise<void> {
    if (isDurable(link) && this.#timeouts.dryRun !== true) return this.#openDurably(link)
    this.#durable?.check(link)
    return parts === undefined ? undefined : restoreNodes(link, parts, anyway)
  }

  async #openDurably(link: Link): Promise<void> {
    const { DurableLinks } = await importLater(importDurable)
    this.#durable ??= new DurableLinks(this.#timeouts.store)
    await this.#durable.open(
      link,
      Array.from(this.#links.values(), (open) => open.link),
    )
  }

  /** Closes what the thread has open for its links, as it ends. */
  async end(): Promise<void> {
    await this.#durable?.end()
  }

  /** Shuts a link down whose start took too long, should it end after all, unless it is opened again by then. */
  #stopLate(link: Link, starting: MaybePromise<void>): void {
    this.#late.add(link)
    const stop = async () => {
      if (this.#late.delete(link)) await link.onShutdown()
    }
    Promise.resolve(starting)
      .then(stop)
      .catch((thrown: unknown) => {
        this.#late.delete(link)
        const err = toError(thrown)
        getLogger('databay.LinkHost').error({ err }, `${link.name} failed after its start was given up: ${err.message}`)
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
    if (isDurable(link)) this.#durable?.close(link)
    await this.#limits.within(shutdownTimeout, late, () => this.#attribution.enter(id, inside, stop))
  }

  /** Has links drop what they hold, as it is handed off. One that takes too long is not waited for. */
  async #reset(ids: readonly number[], open: readonly OpenLink[]): Promise<void> {
    const { shutdownTimeout } = this.#timeouts
    const drop = async ({ link, inside }: OpenLink, at: number) => {
      const late = () => new ShutdownTimeoutError(`${link.name} did not reset within ${shutdownTimeout} ms`)
      const work = () => this.#attribution.enter(ids[at] ?? 0, inside, () => reset(link))
      try {
        await this.#limits.within(shutdownTimeout, late, work)
      } catch (thrown) {
        const err = toError(thrown)
        getLogger('databay.LinkHost').error({ err }, err.message)
      }
    }
    await Promise.all(open.map(drop))
  }

  #save(ids: readonly number[], open: readonly OpenLink[]): MaybePromise<PartStates[]> {
    const { shutdownTimeout } = this.#timeouts
    const late = () => new ShutdownTimeoutError(`links did not tell what they keep within ${shutdownTimeout} ms`)
    const saved = new Set<object>()
    return this.#limits.within(shutdownTimeout, late, () =>
      Promise.all(
        open.map(({ link, inside }, at) =>
          // with `delivery`, the other thread has all from the store
          isDurable(link)
            ? Promise.resolve(heldBy(link))
            : this.#attribution.enter(ids[at] ?? 0, inside, () => stateOf(link, saved)),
        ),
      ),
    )
  }
}

function isDurable({ settings }: Link): boolean {
  return settings.delivery !== 'memory'
}

function nobodyWaits(): void {
  // the whole answer follows
}

/** Logs that buffers of a link hold records and have handed off none. Gives the numbers of these records. */
function noteUnsaved(link: Link | undefined, state: PartStates): Held | undefined {
  const lost = unsaved(state)
  if (lost === undefined) return undefined
  const sum = lost.reduce((all, one) => all + one, 0)
  const log = getLogger('databay.LinkHost')
  if (link !== undefined && isDurable(link))
    log.info(`${link.name}: ${counted(sum, 'buffered record')} ${isOrAre(sum)} pulled again: it moves`)
  else
    log.error(
      `${link?.name}: ${counted(sum, 'buffered record')} ${isOrAre(sum)} lost: the link moves, and its buffers hand off no state`,
    )
  return lost
}

async function errorOf(work: Promise<void>): Promise<PlainError | null> {
  try {
    await work
    return null
  } catch (thrown) {
    return plainError(thrown)
  }
}
