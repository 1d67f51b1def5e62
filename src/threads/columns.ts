/**
 * Payloads alike as one list for each of their fields. A structured clone takes a third of the time for a few long lists
 * of plain values that it takes for many objects.
 */
export interface Columns {
  /** Names of the fields, in their order. */
  readonly names: readonly string[]
  /** For each field its value in each payload. */
  readonly values: readonly (readonly unknown[])[]
}

/**
 * Payloads as columns; `undefined` when they have to go as they are. Columns are only for plain objects with the same
 * fields in the same order, whose values are no objects: then there is nothing in them that could be shared, refer to
 * itself, or be more than its fields. An object that is there twice would arrive as two.
 */
export function toColumns(payloads: readonly unknown[]): Columns | undefined {
  const [first] = payloads
  if (!isPlain(first)) return undefined
  const names = Object.keys(first)
  const count = names.length
  // assigning it would set the prototype
  if (count === 0 || names.includes('__proto__')) return undefined
  // filled by push(): a list made with its length counts as sparse, which a structured clone is slow with
  const values: unknown[][] = names.map(() => [])
  for (const payload of payloads) {
    if (!isPlain(payload)) return undefined
    let at = 0
    // unlike Object.keys(), this makes no list. What it finds beside own fields has no column
    for (const name in payload) {
      if (name !== names[at]) return undefined
      const value = payload[name]
      if (!isPlainValue(value)) return undefined
      values[at++]?.push(value)
    }
    if (at !== count) return undefined
  }
  if (new Set(payloads).size !== payloads.length) return undefined
  return { names, values }
}

/** The payloads again. */
export function fromColumns({ names, values }: Columns): unknown[] {
  const payloads: unknown[] = []
  const length = values[0]?.length ?? 0
  for (let index = 0; index < length; index++) {
    const payload: { [name: string]: unknown } = {}
    for (let at = 0; at < names.length; at++) payload[names[at] as string] = (values[at] as readonly unknown[])[index]
    payloads.push(payload)
  }
  return payloads
}

function isPlain(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** Whether it is nothing that refers to something else, and can be cloned. */
function isPlainValue(value: unknown): boolean {
  switch (typeof value) {
    case 'object':
      return value === null
    case 'function':
    case 'symbol':
      return false
    default:
      return true
  }
}
