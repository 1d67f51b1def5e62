import { threadId } from 'node:worker_threads'
import { LinkModuleError, toError } from '../../base/errors.js'
import { INSTANCES, Kinds, type SentDescription } from '../protocol/link-description.js'
import type { ExportedLink } from './link-module.js'
import { statefulProcessors } from './link-state.js'
import type { ResolvedSettings } from '../../core/link-options.js'

/** Describes links to the main thread. Numbers their instances, so that links which share one are seen to. */
export class LinkDescriber {
  readonly #instances = new WeakMap<object, number>()
  #known = 0

  /**
   * Describes the links of a module.
   *
   * @throws {@link LinkModuleError} when a stateless link holds records between transfers, or a link cannot be described
   */
  describe(module: string, links: Iterable<ExportedLink>): SentDescription[] {
    const kinds = new Kinds()
    return Array.from(links, (link) => {
      try {
        return this.#describe(module, link, kinds)
      } catch (thrown) {
        if (thrown instanceof LinkModuleError) throw thrown
        // a getter of a node, or the like
        const message = `${link.link.name} cannot be described: ${toError(thrown).message}`
        throw new LinkModuleError(module, message, { cause: thrown })
      }
    })
  }

  #describe(module: string, { exportName, index, link }: ExportedLink, kinds: Kinds): SentDescription {
    const processors = statefulProcessors(link)
    const parts = [...link.nodes(), ...processors]
    const buffers = processors.filter((processor) => processor.size !== undefined)
    const [buffer] = buffers
    if (link.settings.stateless && buffer !== undefined) {
      const holder = buffer.constructor.name
      throw new LinkModuleError(module, `${link.name} is stateless, but its ${holder} holds records between transfers`)
    }
    const { settings, schedule } = link
    return {
      kind: kinds.share({
        module,
        exportName,
        // the interval may have been set since
        settings: sendable(schedule === settings.schedule ? settings : { ...settings, schedule }),
        buffers: buffer !== undefined,
        keepsRecords:
          buffers.some((processor) => processor.saveState === undefined) ||
          (settings.delivery !== 'memory' && buffer !== undefined),
        nodes: { inlets: link.inlets.length, outlets: link.outlets.length },
        parts: parts.map((part) => part.constructor.name),
        movable: parts.every((part) => part.saveState !== undefined),
      }),
      index,
      id: link.name,
      tags: link.tags,
      text: link.toString(),
      identity: this.#numberOf(link),
      instances: parts.map((part) => this.#numberOf(part)),
    }
  }

  #numberOf(instance: object): number {
    let number = this.#instances.get(instance)
    if (number === undefined) {
      // thread ids are never used again, so neither are these
      number = threadId * INSTANCES + this.#known++
      this.#instances.set(instance, number)
    }
    return number
  }
}

/** Settings without the function among them, which no other thread could be given. */
function sendable(settings: ResolvedSettings): ResolvedSettings {
  const { deadLetters } = settings
  if (deadLetters === false || deadLetters.redact === undefined) return settings
  return { ...settings, deadLetters: { ...deadLetters, redact: undefined } }
}
