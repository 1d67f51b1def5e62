import { alike } from '../../base/alike.js'
import type { ResolvedSettings } from '../../core/link-options.js'

/** Address of a link: its module, and its place there. */
export interface LinkAddress {
  /** URL of the link module. */
  readonly module: string
  /** Name of the export. */
  readonly exportName: string
  /** Position in the export when that is a list of links. */
  readonly index: number | undefined
}

/** What links of one export that are alike have in common. */
export interface LinkKind extends Pick<LinkAddress, 'module' | 'exportName'> {
  readonly settings: ResolvedSettings
  /** Whether some of its processors may hold records back. */
  readonly buffers: boolean
  /** Whether some of these hand off no state, so that what they hold has to be released before the link moves. */
  readonly keepsRecords: boolean
  /** Number of its inlets and outlets, which are the first of its parts, in this order. */
  readonly nodes: { readonly inlets: number; readonly outlets: number }
  /** Classes of its nodes and stateful processors, in the order in which they hand off their state. */
  readonly parts: readonly string[]
  /** Whether its state can be handed off to another thread. */
  readonly movable: boolean
}

/** A link of a link module without its nodes: enough to plan and to host it. */
export interface LinkDescription extends LinkKind, LinkAddress {
  readonly id: string
  readonly tags: readonly string[]
  /** The link as `Link.toString()` prints it. */
  readonly text: string
  /** Number of the link itself, however many modules export it. */
  readonly identity: number
  /** Numbers of the instances it uses: links that share one must be in the same thread. */
  readonly instances: readonly number[]
}

/**
 * A description on its way between threads. There may be thousands, mostly alike: their kind is one object, which a
 * structured clone copies once.
 */
export interface SentDescription extends Omit<LinkDescription, keyof LinkKind> {
  readonly kind: LinkKind
}

/** The description that was sent. Written out: objects that are spread into others do not share their shape. */
export function receiveDescription({
  kind,
  index,
  id,
  tags,
  text,
  identity,
  instances,
}: SentDescription): LinkDescription {
  return {
    module: kind.module,
    exportName: kind.exportName,
    settings: kind.settings,
    buffers: kind.buffers,
    keepsRecords: kind.keepsRecords,
    nodes: kind.nodes,
    parts: kind.parts,
    movable: kind.movable,
    index,
    id,
    // the same string once, and the numbers as numbers in one block: there may be thousands of links
    tags: tags.length === 1 && tags[0] === id ? [id] : tags,
    text,
    identity,
    instances: Array.from(Float64Array.from(instances)),
  }
}

/** Instances of one thread are numbered below this. */
export const INSTANCES = 2 ** 32

/** The name of an exported link in its module: `todos`, or `links[3]`. */
export function nameOf({ exportName, index }: Pick<LinkAddress, 'exportName' | 'index'>): string {
  return index === undefined ? exportName : `${exportName}[${index}]`
}

/** An address as a key: the module's URL, which has no spaces, a space, and the link's name in it. */
export function keyOf(address: LinkAddress): string {
  return `${address.module} ${nameOf(address)}`
}

/**
 * The id of a link whose options name none: its export's name, and that of a default export its file's: `todos`, or
 * `links[3]` for the fourth link of the default export of `links.js`.
 */
export function exportId({ module, exportName, index }: LinkAddress): string {
  return nameOf({ exportName: exportName === 'default' ? fileName(module) : exportName, index })
}

function fileName(url: string): string {
  const file = url.slice(url.lastIndexOf('/') + 1).replace(/[?#].*$/s, '')
  return decodeURIComponent(file.replace(/\.[^.]+$/, ''))
}

/** Gives links that are alike one kind. They mostly follow each other, so each is compared with the one before it. */
export class Kinds {
  #last: LinkKind | undefined

  /** The kind of the link before, if it is the same; else this one. */
  share(kind: LinkKind): LinkKind {
    if (this.#last === undefined || !alike(kind, this.#last)) this.#last = kind
    return this.#last
  }
}
