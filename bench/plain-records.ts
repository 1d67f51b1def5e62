import { Record } from 'databay'

/** Payload as many sources have it: some plain fields. */
export interface Row {
  readonly id: number
  readonly name: string
  readonly value: number
  readonly city: string
  readonly at: number
}

const CITIES = ['Amsterdam', 'Paris', 'Rome', 'Warszawa']

export function rows(count: number): Row[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    name: `name of ${id}`,
    value: id * 1.5,
    city: CITIES[id % CITIES.length] as string,
    at: 1_700_000_000_000 + id,
  }))
}

/** Makes records that share their metadata, as those of one pull do. */
export function plainRecords(count: number): Record<Row>[] {
  const metadata = Object.freeze({ __inlet__: 'RowInlet' })
  return rows(count).map((row) => new Record(row, metadata))
}
