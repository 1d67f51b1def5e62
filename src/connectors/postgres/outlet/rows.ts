import { isError } from '../../../base/errors.js'
import { ofRecord } from '../../../core/partial-push.js'
import type { Metadata, Record } from '../../../core/record.js'
import { refusal } from '../../serialize.js'
import { asRow, hasNames, isPlainRow, namesOf, type Row } from './as-row.js'
import { CopyRows } from './copy-rows.js'
import { rowText } from './field-text.js'
import { checkTable, quotedTable, type TableName } from '../identifiers.js'
import { JsonRows } from './json-rows.js'
import { keyOf } from './keys.js'
import { TABLE_KEY, type PostgresOutletSettings } from './outlet-options.js'
import type { Refuse, RowGroup } from './row-group.js'
import { shapeOf } from './shape.js'
import type { TableDescription } from './table-description.js'

/** Settings by which rows are made of records. */
export type RowSettings = Omit<PostgresOutletSettings, 'connection'>

/** Descriptions of tables that are known, by their quoted names. */
export type KnownTables = Map<string, TableDescription>

/** Records of one key: the row that is written stands for all of them. */
interface Slot {
  readonly places: number[]
  readonly rows: Row[]
}

type Group = JsonRows | CopyRows

/** Groups of rows by their fields. */
class Groups {
  readonly all = new Set<Group>()
  /** Groups by their fields, in each order in which these came. */
  readonly #byNames = new Map<string, Group>()
  #latest: Group | undefined

  /** Group for a row; `make` makes it when it is the first with its fields. */
  ofRow(row: Row, make: (names: readonly string[]) => Group): Group {
    // most rows have the fields of the one before
    if (this.#latest !== undefined && hasNames(row, this.#latest.names)) return this.#latest
    return this.of(namesOf(row), make)
  }

  of(names: readonly string[], make: (names: readonly string[]) => Group): Group {
    const key = JSON.stringify(names)
    const inOrder = JSON.stringify([...names].sort())
    const group = this.#byNames.get(key) ?? this.#byNames.get(inOrder) ?? make(names)
    this.#byNames.set(key, group).set(inOrder, group)
    this.all.add(group)
    this.#latest = group
    return group
  }
}

/** Rows for one table. */
interface TableRows {
  readonly table: TableName
  readonly description: TableDescription | undefined
  readonly groups: Groups
  /** Records by their keys, until all have come. */
  readonly slots: Map<string, Slot>
}

/**
 * The records of a batch as rows, grouped by table and fields: what a record leaves out takes the default of its column.
 * All is read of payloads before anything is waited for, as they are no copies.
 */
export class BatchRows {
  /** Errors of records that cannot be rows, by their place. */
  readonly refused = new Map<number, Error>()
  readonly groups: RowGroup[] = []
  readonly #settings: RowSettings
  readonly #known: KnownTables
  readonly #tables = new Map<string, TableRows>()
  readonly #chosen = new Map<unknown, TableRows>()
  readonly #own: TableRows

  constructor(settings: RowSettings, known: KnownTables, records: readonly Record[]) {
    this.#settings = settings
    this.#known = known
    this.#own = this.#rowsOf(settings.table)
    for (let place = 0; place < records.length; place++) {
      const { payload, metadata } = records[place] as Record
      try {
        this.#add(place, this.#tableOf(metadata), asRow(payload, settings.serialize))
      } catch (thrown) {
        this.#refuseFor(place, payload, thrown)
      }
    }
    for (const rows of this.#tables.values()) this.#finish(rows)
  }

  /** Descriptions by which rows were made, or refused: those of the mode `copy`. */
  get madeFor(): readonly TableDescription[] {
    if (this.#settings.mode !== 'copy') return []
    return [...this.#tables.values()].flatMap(({ description }) => description ?? [])
  }

  readonly #refuse: Refuse = ({ place, parts }, error) => {
    if (parts === undefined) this.refused.set(place, ofRecord(error))
    else this.groups.push(...parts)
  }

  #refuseFor(place: number, payload: unknown, thrown: unknown): void {
    const isOurs = isError(thrown) && 'code' in thrown
    const error = isOurs ? thrown : refusal('PostgresOutlet', 'a payload cannot be a row', payload, thrown)
    this.refused.set(place, ofRecord(error))
  }

  #tableOf(metadata: Metadata): TableRows {
    const chosen = metadata[TABLE_KEY]
    if (chosen === undefined) return this.#own
    let rows = this.#chosen.get(chosen)
    if (rows === undefined) {
      rows = this.#rowsOf(checkTable(TABLE_KEY, chosen))
      this.#chosen.set(chosen, rows)
    }
    return rows
  }

  #rowsOf(table: TableName): TableRows {
    const name = quotedTable(table)
    let rows = this.#tables.get(name)
    if (rows === undefined) {
      rows = { table, description: this.#known.get(name), groups: new Groups(), slots: new Map() }
      this.#tables.set(name, rows)
    }
    return rows
  }

  #add(place: number, rows: TableRows, row: Row): void {
    const { keys } = this.#settings
    if (keys === undefined) {
      this.#write(rows, rows.groups, place, row)
      return
    }
    const key = keyOf(row, keys)
    const slot = rows.slots.get(key)
    if (slot === undefined) rows.slots.set(key, { places: [place], rows: [row] })
    else {
      slot.places.push(place)
      slot.rows.push(row)
    }
  }

  /** Adds a row, or refuses its record. */
  #attempt(rows: TableRows, groups: Groups, place: number, row: Row, parts?: readonly RowGroup[]): void {
    try {
      this.#write(rows, groups, place, row, parts)
    } catch (thrown) {
      this.#refuseFor(place, row, thrown)
    }
  }

  /** @throws when the row cannot be written */
  #write(rows: TableRows, groups: Groups, place: number, row: Row, parts?: readonly RowGroup[]): void {
    const { table, description } = rows
    if (this.#settings.mode === 'copy' && description !== undefined) {
      const group = groups.ofRow(row, (names) => this.#copyRows(description, names))
      if (group instanceof CopyRows) {
        group.add(place, row, this.#refuse, parts)
        return
      }
    }
    const json = (names: readonly string[]) => new JsonRows(table, names)
    if (isPlainRow(row)) {
      const group = groups.ofRow(row, json) as JsonRows
      group.addPlain(place, row, parts)
      return
    }
    const { names, text, special } = rowText(row, this.#settings.serialize)
    const group = groups.of(names, json) as JsonRows
    group.addText(place, text, special, parts)
  }

  /** Group of lines of COPY, unless that has no text for values of one of the columns. */
  #copyRows(description: TableDescription, names: readonly string[]): Group {
    const shape = shapeOf(description, names, this.#settings)
    const hasComposite = shape.columns.some(({ kind }) => kind === 'composite')
    const { table } = description
    return hasComposite ? new JsonRows(table, names) : new CopyRows(table, names, shape, this.#settings)
  }

  #finish(rows: TableRows): void {
    for (const { places, rows: same } of rows.slots.values()) this.#settle(rows, places, same)
    for (const group of rows.groups.all) {
      group.finish(this.#refuse)
      this.groups.push(group)
    }
  }

  /** Adds the row that stands for records of one key: what is left when each is written after the other. */
  #settle(rows: TableRows, places: readonly number[], same: readonly Row[]): void {
    const parts: RowGroup[] = []
    const good: Row[] = []
    let [first = 0] = places
    if (places.length === 1) good.push(same[0] as Row)
    else {
      for (const [at, row] of same.entries()) {
        const place = places[at] as number
        const groups = this.#alone(rows, place, row)
        if (groups.length === 0) continue
        if (good.length === 0) first = place
        good.push(row)
        parts.push(...groups)
      }
    }
    if (good.length === 0) return
    const row = this.#settings.mode === 'insert' ? (good[0] as Row) : merged(good)
    this.#attempt(rows, rows.groups, first, row, good.length > 1 ? parts : undefined)
  }

  /** Group of one row; none when it is refused. */
  #alone(rows: TableRows, place: number, row: Row): readonly RowGroup[] {
    const groups = new Groups()
    this.#attempt(rows, groups, place, row)
    for (const group of groups.all) group.finish(this.#refuse)
    return [...groups.all].filter(({ chunks }) => chunks.length > 0)
  }
}

/** Row with the fields of all, the later ones over the earlier ones. */
function merged(rows: readonly Row[]): Row {
  if (rows.length === 1) return rows[0] as Row
  const fields = rows.flatMap((row) => Object.entries(row).filter(([, value]) => value !== undefined))
  return Object.fromEntries(fields)
}
