import type { LinkDescription } from './link-description.js'

/** What most links of a module have in common. */
type LinkKind = Omit<LinkDescription, 'module' | 'index' | 'name' | 'tags' | 'text' | 'identity' | 'instances'>

/**
 * The links of a module on their way between threads: there may be thousands, mostly alike. What those
 * that follow each other have in common is there once, and so it is kept once; the rest is in lists, which a structured clone is quick with.
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
  const kinds: LinkKind[] = []
  const kindOf = new Uint32Array(links.length)
  const indices = new Int32Array(links.length)
  const identities = new Float64Array(links.length)
  const instances: number[] = []
  const ends = new Uint32Array(links.length)
  for (const [at, link] of links.entries()) {
    // those that are alike mostly follow each other
    const last = kinds.at(-1)
    if (last === undefined || !isOfKind(link, last)) kinds.push(kindOfLink(link))
    kindOf[at] = kinds.length - 1
    indices[at] = link.index ?? -1
    identities[at] = link.identity
    ends[at] = instances.push(...link.instances)
  }
  return {
    module,
    kinds,
    kindOf,
    indices,
    names: links.map(({ name }) => name),
    tags: links.map(({ tags }) => tags),
    texts: links.map(({ text }) => text),
    identities,
    instances: new Float64Array(instances),
    ends,
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

function isOfKind(link: LinkDescription, kind: LinkKind): boolean {
  const { schedule, parts } = kind
  return (
    link.exportName === kind.exportName &&
    link.schedule.every === schedule.every &&
    link.schedule.cron === schedule.cron &&
    link.schedule.timeZone === schedule.timeZone &&
    link.schedule.jitter === schedule.jitter &&
    link.schedule.alignToClock === schedule.alignToClock &&
    link.immediateTransfer === kind.immediateTransfer &&
    link.ignoreExceptions === kind.ignoreExceptions &&
    link.maxInstances === kind.maxInstances &&
    link.stateless === kind.stateless &&
    link.lane === kind.lane &&
    link.buffers === kind.buffers &&
    link.movable === kind.movable &&
    link.parts.length === parts.length &&
    link.parts.every((part, at) => part === parts[at])
  )
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
