import type { Link } from '../../core/link.js'
import { nodeName } from '../../core/node.js'
import { Outlet } from '../../core/outlet.js'
import type { AnyStatefulProcessor } from '../../core/processor.js'
import { statefulProcessors } from './link-state.js'

/** An inlet or a processor that may want to know what came of its records. */
type Listener = Pick<AnyStatefulProcessor, 'onTransferEnd'>

/** Stands in for an outlet: has its processors, and takes all records without doing anything with them. */
class DryRunOutlet extends Outlet {
  readonly #name: string

  constructor(original: Outlet) {
    super()
    this.#name = nodeName(original)
    // processors do work too; an outlet of another copy of this package has processors of that copy
    Object.defineProperty(this, 'processors', { value: original.processors })
    // an outlet of another copy of this package may have no such field
    const readsOnly = (original.readsOnly as boolean | undefined) === true
    Object.defineProperty(this, 'readsOnly', { value: readsOnly })
    // its link can be moved between threads when it could be with the original
    if (original.saveState === undefined) Object.defineProperty(this, 'saveState', { value: undefined })
  }

  push(): void {
    // the transfer's report counts them
  }

  override saveState(): unknown {
    return undefined
  }

  override toString(): string {
    return this.#name
  }
}

/**
 * Changes links so that their transfers only show how long they take: records for outlets are counted and go nowhere,
 * and the outlets are not even started. Inlets are really pulled. They and processors are told that nothing was
 * delivered: so an inlet that keeps a position stays where it is, and what comes again is not filtered.
 */
export class DryRun {
  /** Stand-ins of outlets, which links may share. */
  readonly #outlets = new Map<Outlet, DryRunOutlet>()
  /** Inlets and processors that are told that nothing was delivered. */
  readonly #told = new Set<Listener>()

  /**
   * Changes a link.
   *
   * @param link - must not be started yet
   */
  async prepare(link: Link): Promise<void> {
    const originals = link.outlets
    for (const part of [...link.inlets, ...statefulProcessors(link)]) this.#keepBack(part)
    await link.removeOutlets(originals)
    await link.addOutlets(originals.map((outlet) => this.#inPlaceOf(outlet)))
  }

  #inPlaceOf(original: Outlet): Outlet {
    if (original instanceof DryRunOutlet) return original
    let outlet = this.#outlets.get(original)
    if (outlet === undefined) {
      outlet = new DryRunOutlet(original)
      this.#outlets.set(original, outlet)
    }
    return outlet
  }

  #keepBack(part: Listener): void {
    if (part.onTransferEnd === undefined || this.#told.has(part)) return
    this.#told.add(part)
    const tell = part.onTransferEnd.bind(part)
    part.onTransferEnd = (update, _delivered, { rounds }) => tell(update, false, { rounds, deliveredRounds: 0 })
  }
}
