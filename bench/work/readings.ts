/** Row as a table of a database has it: columns of the usual kinds. */
export interface Reading {
  readonly id: number
  readonly sensor: string
  readonly value: number
  readonly valid: boolean
  readonly at: string
  readonly tags: readonly string[]
}

const FIRST_TIME = Date.UTC(2026, 0, 1)

/** Makes rows, numbered from `first` on, a second apart. */
export function makeReadings(count: number, first = 0): Reading[] {
  return Array.from({ length: count }, (_, index) => {
    const id = first + index
    const at = new Date(FIRST_TIME + id * 1000).toISOString()
    return { id, sensor: `sensor ${id % 100}`, value: (id % 1000) / 8, valid: id % 7 !== 0, at, tags: ['indoor', 'v2'] }
  })
}
