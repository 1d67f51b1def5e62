import type { Record } from '../../core/record.js'
import type { FieldChange } from '../protocol/explanation.js'
import { fullText, recordText, valueText } from './shown-value.js'

/** Most records of a call that are compared. */
export const MOST_COMPARED = 10_000
/** Number of records among which the one is looked for that another was made of. */
const NEAR = 50
/** Fields that tell which record it is. */
const IDS: readonly string[] = ['id', '_id', 'key', 'uuid']
/** Share of its fields that a record must have in common with the one it was made of. */
const ALIKE = 0.5

/** A record as it was: its fields as text. */
interface Snapshot {
  readonly record: Record
  readonly text: string
  readonly fields: ReadonlyMap<string, string>
  /** Shown texts of its fields. */
  readonly shown: ReadonlyMap<string, string>
}

/** Records as they were before a stage. */
export type Snapshots = readonly Snapshot[]

/** A record that came out, and the one that went in. */
export interface Pair {
  /** The record as it was, or as it came out where none went in. */
  readonly text: string
  readonly isIn: boolean
  readonly isOut: boolean
  /** What has changed; empty when nothing has. */
  readonly fields: readonly FieldChange[]
}

/** Notes how records are: a stage may change their payloads. */
export function snapshotsOf(records: readonly Record[], redact: boolean): Snapshots {
  return records.slice(0, MOST_COMPARED).map((record) => snapshotOf(record, redact))
}

function snapshotOf(record: Record, redact: boolean): Snapshot {
  const fields = new Map<string, string>()
  const shown = new Map<string, string>()
  const add = (name: string, value: unknown) => {
    fields.set(name, fullText(value))
    shown.set(name, valueText(value, redact))
  }
  const { payload, metadata } = record
  for (const [name, value] of fieldsOf(payload)) add(name, value)
  for (const [name, value] of Object.entries(metadata)) add(`metadata.${name}`, value)
  return { record, text: recordText(payload, redact), fields, shown }
}

/** Fields of a payload; of one that has none, as a number, a list, a Date or bytes, the payload itself. */
function fieldsOf(payload: unknown): (readonly [name: string, value: unknown])[] {
  const whole = [['payload', payload] as const]
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload) || ArrayBuffer.isView(payload))
    return whole
  try {
    const fields = Object.entries(payload)
    return fields.length === 0 ? whole : fields
  } catch {
    return whole // a getter throws
  }
}

/**
 * Finds out which record became which: the same one, one with the same payload or the same id, the one at the same place where
 * there are as many, or one that has most fields in common with it.
 *
 * @returns pairs in the order in which the records came out, each dropped one before those that came after it
 */
export function pairsOf(before: Snapshots, out: readonly Record[], redact: boolean): Pair[] {
  const after = snapshotsOf(out, redact)
  const left = new Map(before.map((one, at) => [at, one]))
  const made = new Map<number, number>()
  const claim = (to: number, from: number) => {
    made.set(to, from)
    left.delete(from)
  }
  const places = new Map<unknown, number[]>()
  for (const [at, { record }] of before.entries()) {
    for (const key of keysOf(record)) push(places, key, at)
  }
  for (const [to, { record }] of after.entries()) {
    const from = keysOf(record)
      .flatMap((key) => places.get(key) ?? [])
      .find((at) => left.has(at))
    if (from !== undefined) claim(to, from)
  }
  const isOneToOne = made.size === 0 && before.length === after.length
  const named = new Map<string, number[]>()
  for (const at of left.keys()) push(named, idOf(before[at] as Snapshot), at)
  for (const [to, one] of after.entries()) {
    const from = made.has(to) ? undefined : named.get(idOf(one) ?? '')?.shift()
    if (from !== undefined) claim(to, from)
  }
  for (const [to, one] of after.entries()) {
    if (made.has(to)) continue
    const from = isOneToOne && left.has(to) ? to : likest(one, left)
    if (from !== undefined) claim(to, from)
  }
  const pairs: Pair[] = []
  const dropped = [...left.keys()]
  for (const [to, one] of after.entries()) {
    const from = made.get(to)
    while (from !== undefined && dropped[0] !== undefined && dropped[0] < from) pairs.push(droppedOne(before, dropped))
    const origin = from === undefined ? undefined : before[from]
    const fields = origin === undefined ? [] : changesOf(origin, one)
    pairs.push({ text: (origin ?? one).text, isIn: origin !== undefined, isOut: true, fields })
  }
  while (dropped.length > 0) pairs.push(droppedOne(before, dropped))
  return pairs
}

function droppedOne(before: Snapshots, dropped: number[]): Pair {
  return { text: before[dropped.shift() ?? 0]?.text ?? '', isIn: true, isOut: false, fields: [] }
}

function push<K>(places: Map<K, number[]>, key: K | undefined, at: number): void {
  if (key === undefined) return
  const some = places.get(key)
  if (some === undefined) places.set(key, [at])
  else some.push(at)
}

/** The field of a record that tells which it is; `undefined` when it has none. */
function idOf({ fields }: Snapshot): string | undefined {
  const name = IDS.find((one) => fields.has(one))
  return name === undefined ? undefined : `${name}: ${fields.get(name)}`
}

/** What tells a record: itself, and its payload unless that may be another's. */
function keysOf(record: Record): unknown[] {
  const { payload } = record
  return typeof payload === 'object' && payload !== null ? [record, payload] : [record]
}

/** Place of the record that another was most likely made of. */
function likest({ fields }: Snapshot, left: ReadonlyMap<number, Snapshot>): number | undefined {
  let best: number | undefined
  let most = 0
  let looked = 0
  for (const [at, one] of left) {
    if (++looked > NEAR) break
    let [same, all] = [0, 0]
    for (const [name, text] of one.fields) {
      if (name.startsWith('metadata.')) continue
      all++
      if (fields.get(name) === text) same++
    }
    const share = all === 0 ? 0 : same / all
    if (share < ALIKE || share <= most) continue
    most = share
    best = at
  }
  return best
}

function changesOf(before: Snapshot, after: Snapshot): FieldChange[] {
  const changes: FieldChange[] = []
  for (const field of new Set([...before.fields.keys(), ...after.fields.keys()])) {
    if (before.fields.get(field) === after.fields.get(field)) continue
    const [was, is] = [before.shown.get(field), after.shown.get(field)]
    changes.push({ field, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) })
  }
  return changes
}
