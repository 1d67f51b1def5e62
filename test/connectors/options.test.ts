/** A misspelt option of a connector is refused, and the error names the one that was meant. */
import t from 'tap'
import * as api from '../../src/index.js'

const CASES: [string, () => unknown, string][] = [
  ['FileInlet.linePerTransfer', () => new api.FileInlet('a', { linePerTransfer: 1 } as object), 'linesPerTransfer'],
  ['CsvInlet.delimeter', () => new api.CsvInlet('a', { delimeter: ';' } as object), 'delimiter'],
  ['HttpInlet.header', () => new api.HttpInlet('http://a.test', { header: {} } as object), 'headers'],
  ['HttpInlet.retry.retrys', () => new api.HttpInlet('http://a.test', { retry: { retrys: 1 } as object }), 'retries'],
  ['MongoInlet.cursor_field', () => new api.MongoInlet({ cursor_field: '_id' } as object), 'cursorField'],
  ['NullInlet.metaData', () => new api.NullInlet({ metaData: {} } as object), 'metadata'],
  ['RandomIntInlet.sead', () => new api.RandomIntInlet(0, 1, { sead: 1 } as object), 'seed'],
  ['FileOutlet.filemode', () => new api.FileOutlet('a', { filemode: 'w' } as object), 'fileMode'],
  ['CsvOutlet.colums', () => new api.CsvOutlet('a', { colums: ['a'] } as object), 'columns'],
  ['MongoOutlet.key', () => new api.MongoOutlet({ mode: 'upsert', key: ['a'] } as object), 'keys'],
  ['NullOutlet.processor', () => new api.NullOutlet({ processor: [] } as object), 'processors'],
  ['PrintOutlet.onlypayload', () => new api.PrintOutlet({ onlypayload: true } as object), 'onlyPayload'],
]

for (const [option, make, meant] of CASES) {
  t.test(`${option}: did you mean ${meant}?`, async (t) => {
    t.throws(make, {
      code: 'DATABAY_INVALID_OPTION',
      option,
      message: new RegExp(`: did you mean ${meant}\\? They are `),
    })
  })
}

t.test('so is a misspelt value where there are few words', async (t) => {
  const make = () => new api.FileInlet('a', { longLines: 'truncated' } as object)
  t.throws(make, { option: 'FileInlet.longLines', message: /got 'truncated': did you mean truncate\?$/ })
})
