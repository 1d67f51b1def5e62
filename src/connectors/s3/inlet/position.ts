/** Orders in which objects are read. */
export const OBJECT_ORDERS = ['key', 'modified'] as const
/** Order in which objects are read. */
export type S3ObjectOrder = (typeof OBJECT_ORDERS)[number]

/** Place in an object, between two of its records. */
export interface Within {
  /** Tag of what the object held: with another tag, its records are others. */
  readonly etag: string
  /** Number of records before the place. */
  readonly records: number
  /** Offset of the place in the content, unpacked. */
  readonly offset: number
  /** Whether the object is packed with gzip, so that it has to be unpacked from its start. */
  readonly packed: boolean
  /** State of what cuts the records: plain data. */
  readonly state?: unknown
}

/** Place between two records of a bucket: behind an object, or in it. */
export interface ObjectPosition {
  readonly key: string
  /** Time at which the object was modified, in milliseconds; only in the order `modified`. */
  readonly modified?: number
  /** Place in the object; `undefined` behind it. */
  readonly within?: Within
}

/** An object as it is listed. */
export interface Listed {
  readonly key: string
  /** Time at which it was modified, in milliseconds. */
  readonly lastModified: number
}

/** Position behind an object, or at a place in it. */
export function positionAt({ key, lastModified }: Listed, order: S3ObjectOrder, within?: Within): ObjectPosition {
  return {
    key,
    ...(order === 'modified' && { modified: lastModified }),
    ...(within && { within }),
  }
}

/** Whether an object comes after a position in the order `modified`. */
export function isModifiedAfter({ key, lastModified }: Listed, position: ObjectPosition | undefined): boolean {
  if (position === undefined) return true
  const { modified = -Infinity } = position
  return lastModified > modified || (lastModified === modified && compareKeys(key, position.key) > 0)
}

/** Compares two objects in the order `modified`. */
export function compareModified(a: Listed, b: Listed): number {
  return a.lastModified - b.lastModified || compareKeys(a.key, b.key)
}

/** Compares two keys as S3 does, by their bytes in UTF-8. JavaScript compares surrogates by themselves. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const one = a.charCodeAt(at)
    const other = b.charCodeAt(at)
    if (one === other) continue
    return isSurrogate(one) === isSurrogate(other) ? one - other : isSurrogate(one) ? 1 : -1
  }
  return a.length - b.length

  /** Whether a unit is of a character behind all that have one unit; of the others, some have a higher number. */
  function isSurrogate(unit: number): boolean {
    return unit >= 0xd800 && unit <= 0xdfff
  }
}

/** Whether a value, which may be anything, is a position. */
export function isPosition(value: unknown): value is ObjectPosition {
  if (typeof value !== 'object' || value === null) return false
  const { key, modified, within } = value as { readonly [name: string]: unknown }
  if (typeof key !== 'string' || !(modified === undefined || Number.isSafeInteger(modified))) return false
  return within === undefined || isWithin(within)
}

function isWithin(value: unknown): value is Within {
  if (typeof value !== 'object' || value === null) return false
  const { etag, records, offset, packed } = value as { readonly [name: string]: unknown }
  const areCounts = [records, offset].every((count) => Number.isSafeInteger(count) && Number(count) >= 0)
  return typeof etag === 'string' && typeof packed === 'boolean' && areCounts
}
