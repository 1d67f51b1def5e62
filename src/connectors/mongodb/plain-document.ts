/** Fields of a document. */
export interface Fields {
  readonly [field: string]: unknown
}

/** Longest document, in bytes at most, that is surely small enough: half of what MongoDB takes, as a filter repeats fields. */
const SMALL = 8 * 1024 * 1024

/** Deepest nesting of what is copied here. */
const DEEPEST = 32

/** Names that mean something to the driver, or to JavaScript. */
const SPECIAL = new Set(['_bsontype', 'toBSON', '__proto__'])

/**
 * Copies an object of plain data alone, as most payloads are: objects, lists, texts, numbers, booleans and null, which the
 * driver stores as they are, in a document that is surely small enough.
 *
 * @returns the copy, which shares nothing with the object; `undefined` where there is anything else
 */
export function plainCopy(value: unknown): Fields | undefined {
  if (!isPlainObject(value)) return undefined
  const copier = new Copier()
  const copy = copier.fields(value, 0)
  return copier.size < SMALL ? copy : undefined
}

class Copier {
  /** Size of what was copied, in bytes at most. What is not plain has no end. */
  size = 0

  fields(value: object, depth: number): Fields {
    const copy: { [field: string]: unknown } = {}
    for (const name in value) {
      if (SPECIAL.has(name) || name.includes('\0')) this.size = Infinity
      if (this.size >= SMALL) break
      this.#add(name)
      copy[name] = this.#part((value as Fields)[name], depth)
    }
    return copy
  }

  #list(list: readonly unknown[], depth: number): unknown[] {
    // one with holes, or with fields beside its parts
    if (Object.keys(list).length !== list.length) this.size = Infinity
    const copy: unknown[] = []
    for (const part of list) {
      if (part === undefined) this.size = Infinity
      if (this.size >= SMALL) break
      this.size += 8 // its place is the name
      copy.push(this.#part(part, depth))
    }
    return copy
  }

  #part(part: unknown, depth: number): unknown {
    this.size += 16
    switch (typeof part) {
      case 'string':
        this.#add(part)
        return part
      case 'number':
      case 'boolean':
      case 'undefined':
        return part
      case 'object':
        if (part === null) return part
        if (depth < DEEPEST && Array.isArray(part)) return this.#list(part, depth + 1)
        if (depth < DEEPEST && isPlainObject(part)) return this.fields(part, depth + 1)
    }
    this.size = Infinity
    return undefined
  }

  #add(text: string): void {
    this.size += text.isWellFormed() ? 3 * text.length : Infinity
  }
}

function isPlainObject(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.getOwnPropertySymbols(value).length === 0
  )
}
