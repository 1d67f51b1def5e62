import type { Metadata } from '../record.js'

/** Keys that the language itself asks for, as when a value is awaited or made JSON. */
const HARMLESS = new Set<string | symbol>(['then', 'toJSON'])

/**
 * Metadata that notes when somebody looks for something in it, or tries to change it. Copying it as a whole, as records
 * are made, is no reading: only keys that it does not have are noted.
 */
export function watchedMetadata(metadata: Metadata): { readonly metadata: Metadata; readonly touched: string[] } {
  const touched: string[] = []
  const note = (what: string, key: string | symbol) => {
    if (typeof key === 'string' && !HARMLESS.has(key)) touched.push(`${what} '${key}'`)
  }
  const copy = { ...metadata }
  const watched = new Proxy<Metadata>(copy, {
    get: (target, key) => {
      if (!(key in target)) note('reads', key)
      return Reflect.get(target, key) as unknown
    },
    has: (target, key) => {
      if (!(key in target)) note('looks for', key)
      return Reflect.has(target, key)
    },
    set: (_target, key) => {
      note('sets', key)
      return true
    },
    deleteProperty: (_target, key) => {
      note('deletes', key)
      return true
    },
  })
  return { metadata: watched, touched }
}
