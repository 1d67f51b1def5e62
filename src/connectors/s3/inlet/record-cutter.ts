import { CsvColumns } from '../../csv/columns.js'
import { CsvSplitter } from '../../csv/splitter.js'
import { LineSplitter, type LineLimit } from '../../files/line-splitter.js'
import type { Splitter } from '../../files/splitter.js'
import type { ObjectRules } from './inlet-options.js'
import { JsonSplitter } from './json-splitter.js'
import { formatOf, type KeyFormat } from './object-format.js'

/** What cuts objects into records, by their keys. Objects of one format share it. */
export class RecordCutters {
  readonly #rules: ObjectRules
  readonly #splitters = new Map<string, Splitter<unknown, unknown>>()

  constructor(rules: ObjectRules) {
    this.#rules = rules
  }

  /** Format of an object. */
  formatOf(key: string): KeyFormat {
    const { format } = this.#rules
    const byKey = formatOf(key)
    if (format === undefined || format === byKey.format) return byKey
    return { format }
  }

  /** Whether an object without content has no record: a text that is empty is one, and so are no bytes. */
  isNothing(key: string): boolean {
    const { format } = this.formatOf(key)
    return format !== 'whole' && format !== 'bytes'
  }

  /** What cuts the content of an object piece by piece; `undefined` when it is read at once. */
  splitterOf({ format, delimiter }: KeyFormat): Splitter<unknown, unknown> | undefined {
    if (format !== 'lines' && format !== 'jsonl' && format !== 'csv') return undefined
    const { csv } = this.#rules
    const used = csv.isDelimiterGiven || delimiter === undefined ? csv.delimiter : delimiter
    const name = `${format}${used}`
    const known = this.#splitters.get(name)
    if (known !== undefined) return known
    const made = this.#make(format, used)
    made.load?.()
    this.#splitters.set(name, made)
    return made
  }

  #make(format: 'lines' | 'jsonl' | 'csv', delimiter: string): Splitter<unknown, unknown> {
    const { encoding, maxLineLength, badRecords, bigIntegers, csv } = this.#rules
    const limit: LineLimit = { maxLength: maxLineLength, longLines: badRecords }
    if (format === 'lines') return new LineSplitter(encoding, limit)
    if (format === 'jsonl') return new JsonSplitter({ encoding, limit, bigIntegers })
    const { header, columns: names, types, guardFormulas, shortRows } = csv
    const columns = new CsvColumns({
      names,
      types,
      fillShortRows: shortRows === 'fill',
      bigIntegers,
      guardFormulas,
    })
    const rules = { encoding, delimiter, header, columns, maxRowLength: maxLineLength, badRows: badRecords }
    return new CsvSplitter(rules)
  }
}
