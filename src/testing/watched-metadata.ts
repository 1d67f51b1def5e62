import type { Metadata } from '../core/record.js'

/** Keys that the language itself reads, for example to await a value or to make JSON of it. */
const HARMLESS = new Set<string | symbol>(['then', 'toJSON'])

/**
 * Metadata that notes when code looks for something in it, or tries to change it. Only keys that it does not have are
 * noted, so a copy of the whole, as records make it, does not count.
 */
export function watchedMetadata(metadata: Metadata): { readonly metadata: Metadata; readonly touched: string[] } {
  const touched: string[] = []
  const note = (verb: string, key: string | symbol, preposition: string) => {
    if (typeof key === 'string' && !HARMLESS.has(key)) touched.push(`${verb} '${key}' ${preposition}`)
  }
  const copy = { ...metadata }
  const watched = new Proxy<Metadata>(copy, {
    get: (target, key) => {
      if (!(key in target)) note('reads', key, 'from')
      return Reflect.get(target, key) as unknown
    },
    has: (target, key) => {
      if (!(key in target)) note('looks for', key, 'in')
      return Reflect.has(target, key)
    },
    set: (_target, key) => {
      note('sets', key, 'in')
      return true
    },
    deleteProperty: (_target, key) => {
      note('deletes', key, 'from')
      return true
    },
  })
  return { metadata: watched, touched }
}
