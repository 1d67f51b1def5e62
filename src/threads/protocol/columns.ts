/**
 * Payloads of the same fields as one list for each field. A structured clone takes a third of the time for a few long
 * lists of plain values that it takes for many objects.
 */
export interface Columns {
  /** Names of the fields, in their order. */
  readonly names: readonly string[]
  /**
   * Column of each field: its value in each payload, or the place of the column with the same values in what was sent.
   */
  readonly values: readonly (readonly unknown[] | number)[]
}

/**
 * Puts payloads into columns; gives `undefined` when they have to go as they are. Columns are only for plain objects
 * with the same fields in the same order, whose values are no objects: then there is nothing in them that could be
 * shared, refer to itself, or be more than its fields. An object that is there twice would arrive as two.
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

/**
 * Takes from an answer the columns that are the same as in what was sent: they need not be cloned again. Processors
 * leave most fields as they are.
 */
export function withoutSame({ names, values }: Columns, sent: Columns): Columns {
  const answer = names.map((name, at) => {
    const column = values[at]
    const place = sent.names.indexOf(name)
    const before = sent.values[place]
    return Array.isArray(column) && Array.isArray(before) && areSame(column, before) ? place : (column as unknown[])
  })
  return { names, values: answer }
}

/**
 * Makes payloads of columns again.
 *
 * @param sent - for an answer: what was sent
 */
export function fromColumns({ names, values: given }: Columns, sent?: Columns): unknown[] {
  const payloads: unknown[] = []
  const values = given.map((column) => (typeof column === 'number' ? sent?.values[column] : column) as unknown[])
  const length = values[0]?.length ?? 0
  for (let index = 0; index < length; index++) {
    const payload: { [name: string]: unknown } = {}
    for (let at = 0; at < names.length; at++) payload[names[at] as string] = (values[at] as unknown[])[index]
    payloads.push(payload)
  }
  return payloads
}

function areSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (!Object.is(one[at], other[at])) return false
  return true
}

function isPlain(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** Whether a value refers to nothing else, and can be cloned. */
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
