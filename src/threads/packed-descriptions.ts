import type { LinkDescription } from './protocol.js'

/** What most links of a module have in common. */
type LinkKind = Omit<LinkDescription, 'module' | 'index' | 'name' | 'tags' | 'text' | 'identity' | 'instances'>

/**
 * The links of a module on their way between threads: there may be thousands, mostly alike. What they have in common is
 * there once, and so it is kept once; the rest is in lists, which a structured clone is quick with.
 */
export interface PackedDescriptions {
  readonly module: string
  readonly kinds: readonly LinkKind[]
  /** For each link the place of its kind. */
  readonly kindOf: Uint32Array
  /** For each link its position in its export; -1 for none. */
  readonly indices: Int32Array
  readonly names: readonly string[]
  readonly tags: readonly (readonly string[])[]
  readonly texts: readonly string[]
  readonly identities: Float64Array
  /** The instances of all links, one after the other. */
  readonly instances: Float64Array
  /** For each link where its instances end. */
  readonly ends: Uint32Array
}

/** @param links - of this module */
export function packDescriptions(module: string, links: readonly LinkDescription[]): PackedDescriptions {
  const places = new Map<string, number>()
  const kinds: LinkKind[] = []
  let instances = 0
  const kindOf = Uint32Array.from(links, (link) => {
    const kind = kindOfLink(link)
    const key = JSON.stringify(kind)
    let place = places.get(key)
    if (place === undefined) {
      place = kinds.push(kind) - 1
      places.set(key, place)
    }
    return place
  })
  return {
    module,
    kinds,
    kindOf,
    indices: Int32Array.from(links, ({ index }) => index ?? -1),
    names: links.map(({ name }) => name),
    tags: links.map(({ tags }) => tags),
    texts: links.map(({ text }) => text),
    identities: Float64Array.from(links, ({ identity }) => identity),
    instances: Float64Array.from(links.flatMap((link) => link.instances)),
    ends: Uint32Array.from(links, (link) => (instances += link.instances.length)),
  }
}

export function unpackDescriptions(packed: PackedDescriptions): LinkDescription[] {
  const { module, kinds, indices, ends } = packed
  return packed.names.map((name, at) => {
    const kind = kinds[packed.kindOf[at] as number] as LinkKind
    const index = indices[at] as number
    const tags = packed.tags[at] as readonly string[]
    // written out: objects that are spread into others do not share their shape, which takes more than what is in them
    return {
      exportName: kind.exportName,
      schedule: kind.schedule,
      immediateTransfer: kind.immediateTransfer,
      ignoreExceptions: kind.ignoreExceptions,
      maxInstances: kind.maxInstances,
      stateless: kind.stateless,
      lane: kind.lane,
      buffers: kind.buffers,
      parts: kind.parts,
      movable: kind.movable,
      module,
      index: index === -1 ? undefined : index,
      name,
      // the same string once
      tags: tags.length === 1 && tags[0] === name ? [name] : tags,
      text: packed.texts[at] as string,
      identity: packed.identities[at] as number,
      instances: Array.from(packed.instances.subarray(ends[at - 1] ?? 0, ends[at])),
    }
  })
}

function kindOfLink(link: LinkDescription): LinkKind {
  return {
    exportName: link.exportName,
    schedule: link.schedule,
    immediateTransfer: link.immediateTransfer,
    ignoreExceptions: link.ignoreExceptions,
    maxInstances: link.maxInstances,
    stateless: link.stateless,
    lane: link.lane,
    buffers: link.buffers,
    parts: link.parts,
    movable: link.movable,
  }
}
