/** A module of processors, whose types a planner's pool goes by. */
import type { Processor, Record } from '../../src/index.js'

export function squares(records: Record<number>[]): Record<number>[] {
  return records.map((record) => record.with({ payload: record.payload ** 2 }))
}

// a processor that is checked where it stands
export const kept = ((records) => records.filter(({ payload }) => payload > 1)) satisfies Processor<number>
// @ts-expect-error this one gives payloads
export const bare = ((records) => records.map(({ payload }) => payload)) satisfies Processor<number>

export default async (records: readonly Record<number>[]): Promise<Record<string>[]> =>
  records.map((record) => record.with({ payload: String(record.payload) }))
