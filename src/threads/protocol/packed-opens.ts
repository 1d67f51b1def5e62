import type { LinkAddress } from './link-description.js'

/** A link to be opened in a thread. */
export interface OpenRequest extends LinkAddress {
  /** Id under which the link is to be open: see `HostedLinks.nextId`. */
  readonly id: number
  /** State that the link's instances in another thread handed off. */
  readonly state?: unknown
  /** Whether nodes that cannot take over their state begin without it. Otherwise the link fails to open. */
  readonly anyway?: boolean
}

type Export = Pick<LinkAddress, 'module' | 'exportName'>

/** A state that is handed over, and the place of the link that takes it. */
interface Handed extends Pick<OpenRequest, 'state' | 'anyway'> {
  readonly at: number
}

/** Links to be opened, on their way to a thread: mostly they are of one export, whose names go along once. */
export interface PackedOpens {
  readonly exports: readonly Export[]
  /** Place of the export of each link. */
  readonly export: readonly number[]
  readonly index: readonly (number | undefined)[]
  readonly id: readonly number[]
  readonly handed: readonly Handed[]
}

/** Packs requests. */
export function packOpens(requests: readonly OpenRequest[]): PackedOpens {
  const exports: Export[] = []
  const places = new Map<string, number>()
  let [last, place] = [{ module: '', exportName: '' }, -1]
  const placeOf = ({ module, exportName }: OpenRequest) => {
    // links of one export mostly follow each other
    if (last.module === module && last.exportName === exportName) return place
    last = { module, exportName }
    const key = `${module} ${exportName}`
    place = places.get(key) ?? exports.push(last) - 1
    places.set(key, place)
    return place
  }
  return {
    export: requests.map(placeOf),
    exports,
    index: requests.map(({ index }) => index),
    id: requests.map(({ id }) => id),
    handed: requests.flatMap((request, at) =>
      'state' in request || 'anyway' in request ? [{ at, ...handedOf(request) }] : [],
    ),
  }
}

/** The requests that were packed. */
export function unpackOpens({ exports, export: places, index, id, handed }: PackedOpens): OpenRequest[] {
  const requests = places.map((place, at): OpenRequest => {
    const { module, exportName } = exports[place] as Export
    return { module, exportName, index: index[at], id: id[at] as number }
  })
  for (const { at, ...state } of handed) requests[at] = { ...(requests[at] as OpenRequest), ...state }
  return requests
}

function handedOf({ state, anyway }: OpenRequest): Omit<Handed, 'at'> {
  return anyway === undefined ? { state } : { state, anyway }
}
