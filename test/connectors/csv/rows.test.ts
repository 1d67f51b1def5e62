import t from 'tap'
import type { TakenRow } from '../../../src/connectors/csv/row-taker.js'
import { rowsText } from '../../../src/connectors/csv/rows.js'

const format = { delimiter: ',', guardFormulas: true, ignoreExtraColumns: false, allowMissingColumns: false }

t.test('many rows come in parts, none of which is too long for a string', async (t) => {
  const row = { text: 'x'.repeat(1 << 20) }
  const parts = rowsText(Array<TakenRow>(8).fill({ keys: ['text'], cells: [row.text] }), ['text'], format)
  t.ok(parts.length > 1)
  t.ok(parts.join('') === `${row.text}\n`.repeat(8))
  t.ok(parts.every((part) => part.endsWith('\n')))
})

t.test('no rows are no text', async (t) => {
  t.same(rowsText([], ['text'], format), [])
})
