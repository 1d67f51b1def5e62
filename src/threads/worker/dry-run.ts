import type { Inlet } from '../../core/inlet.js'
import type { Link } from '../../core/link.js'
import { nodeName } from '../../core/node.js'
import { Outlet } from '../../core/outlet.js'

/** Takes the place of an outlet: has its processors, and takes all records without doing anything with them. */
class DryRunOutlet extends Outlet {
  readonly #name: string

  constructor(original: Outlet) {
    super()
    this.#name = nodeName(original)
    // they do work too; an outlet of another copy of this package has processors of that copy
    Object.defineProperty(this, 'processors', { value: original.processors })
    // its link is moved between threads when it can be with the original
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
 * Changes links so that their transfers can be made to see how long they take: what they would give to their outlets is
 * counted and goes nowhere, and the outlets are not even started. Inlets are really pulled, and told that what they gave was
 * not delivered, so that those which keep a position stay there.
 */
export class DryRun {
  /** Links may share outlets. */
  readonly #outlets = new Map<Outlet, DryRunOutlet>()
  readonly #inlets = new Set<Inlet>()

  /** @param link - not started yet */
  async prepare(link: Link): Promise<void> {
    for (const inlet of link.inlets) this.#keepBack(inlet)
    const originals = link.outlets
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

  #keepBack(inlet: Inlet): void {
    if (inlet.onTransferEnd === undefined || this.#inlets.has(inlet)) return
    this.#inlets.add(inlet)
    const tell = inlet.onTransferEnd.bind(inlet)
    inlet.onTransferEnd = (update) => tell(update, false)
  }
}
