import { Buffer } from 'node:buffer'
import { getLogger } from '../base/log.js'
import type { Link } from '../core/link.js'
import { Node } from '../core/node.js'
import type { AnyProcessor, AnyStatefulProcessor } from '../core/processor.js'
import { encodeValue } from '../store/codec.js'

/** A part of a link that can keep a state. */
type Part = Node | AnyStatefulProcessor

/**
 * States of a link's parts: those of inlets and outlets, and of processors. What a buffer holds is not among them: it is
 * pulled again.
 */
export class PartStates {
  readonly #link: Link
  /** States that are on the disk, as bytes, by the names of their parts. */
  readonly #kept = new Map<string, Uint8Array>()

  constructor(link: Link) {
    this.#link = link
  }

  /**
   * Gives the parts what they have kept, before the link starts.
   *
   * @param states - by the names of the parts
   */
  async restore(states: ReadonlyMap<string, unknown>): Promise<void> {
    const parts = partsOf(this.#link)
    for (const [name, state] of states) {
      const part = parts.get(name)
      if (part?.restoreState === undefined) {
        getLogger('databay.Delivery').warn(`${this.#link.name} has no ${name} any more: what it kept is not used`)
        continue
      }
      // another link has started it
      if (part instanceof Node && part.active) continue
      await part.restoreState(state)
    }
  }

  /**
   * The states that are not on the disk as they are now.
   *
   * @throws {@link UnspoolableError} when one has something that would not come back from there as it is
   */
  async changed(): Promise<Map<string, unknown>> {
    const changed = new Map<string, unknown>()
    for (const [name, part] of partsOf(this.#link)) {
      if (part.saveState === undefined || part.restoreState === undefined) continue
      const state: unknown = await part.saveState()
      if (state === undefined) {
        if (this.#kept.delete(name)) changed.set(name, undefined)
        continue
      }
      const { bytes } = encodeValue(state, `the state of ${name}`)
      const kept = this.#kept.get(name)
      if (kept !== undefined && Buffer.compare(kept, bytes) === 0) continue
      this.#kept.set(name, bytes)
      changed.set(name, state)
    }
    return changed
  }

  /** Notes that states did not come to the disk. */
  forget(names: Iterable<string>): void {
    for (const name of names) this.#kept.delete(name)
  }
}

/** The parts of a link that can keep a state, by their places and classes. */
function partsOf(link: Link): Map<string, Part> {
  const parts = new Map<string, Part>()
  const add = (place: string, part: Part) => parts.set(`${place} ${part.constructor.name}`, part)
  const addAll = (place: string, processors: readonly AnyProcessor[]) => {
    for (const [at, processor] of processors.entries()) {
      if (typeof processor === 'object' && processor.size === undefined) add(`${place}processor ${at}`, processor)
    }
  }
  for (const [at, inlet] of link.inlets.entries()) add(`inlet ${at}`, inlet)
  for (const [at, outlet] of link.outlets.entries()) {
    add(`outlet ${at}`, outlet)
    addAll(`outlet ${at} `, outlet.processors)
  }
  addAll('', link.processors)
  return parts
}
