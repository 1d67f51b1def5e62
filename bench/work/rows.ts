/** Row of a record pipeline: links and plain functions do the same work on it. */
export interface Row {
  readonly id: number
  readonly name: string
  readonly value: number
  readonly place: { readonly city: string; readonly latitude: number; readonly longitude: number }
  readonly tags: readonly string[]
}

const CITIES = ['Amsterdam', 'Rotterdam', 'Utrecht', 'Groningen']

/** Makes new rows, as a source would, numbered from `first` on. */
export function makeRows(count: number, first = 0): Row[] {
  const rows: Row[] = []
  for (let id = first; id < first + count; id++) {
    const place = { city: CITIES[id % CITIES.length] ?? '', latitude: 52 + (id % 10) / 10, longitude: 4.9 }
    rows.push({ id, name: `sensor ${id % 100}`, value: id % 1000, place, tags: ['indoor', 'v2'] })
  }
  return rows
}

/** Changes a row as a processor would. */
export function score(row: Row): Row {
  return { ...row, value: row.value * 2 + 1 }
}

/** Copies a row with all its parts, as written by hand. */
export function copyByHand({ id, name, value, place, tags }: Row): Row {
  const { city, latitude, longitude } = place
  return { id, name, value, place: { city, latitude, longitude }, tags: [...tags] }
}

/** Sum of the values of rows after {@link score}. */
export function expectedSum(count: number): number {
  let sum = 0
  for (let id = 0; id < count; id++) sum += (id % 1000) * 2 + 1
  return sum
}
