/** Processor that does arithmetic only. In the URL, `rounds=1000` is the amount of work for each record. */
import type { Processor } from 'databay'

const rounds = Number(new URL(import.meta.url).searchParams.get('rounds') ?? 0)

export const hash: Processor<{ readonly id: number }, { readonly id: number; readonly hash: number }> = (records) =>
  records.map((record) => record.with({ payload: { ...record.payload, hash: hashOf(record.payload.id, rounds) } }))

/** Result of the work. */
export function hashOf(value: number, rounds: number): number {
  let hash = value | 0
  for (let round = 0; round < rounds; round++) hash = (Math.imul(hash, 1664525) + 1013904223) | 0
  return hash
}
