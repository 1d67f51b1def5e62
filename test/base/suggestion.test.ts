import t from 'tap'
import { hintAt, suggest } from '../../src/base/suggestion.js'

const KNOWN = ['inlets', 'outlets', 'interval', 'copyRecords', 'ignoreExceptions', 'tags', 'id']

t.test('a misspelt name is taken for the nearest known one', async (t) => {
  const meant: [string, string | undefined][] = [
    ['intervall', 'interval'],
    ['copy_records', 'copyRecords'],
    ['COPYRECORDS', 'copyRecords'],
    ['inlet', 'inlets'],
    ['outlet', 'outlets'],
    ['tag', 'tags'],
    ['ignoreExeptions', 'ignoreExceptions'],
    ['ID', 'id'],
    ['itnerval', 'interval'],
    ['tgas', 'tags'],
    ['di', undefined],
    ['threads', undefined],
    ['x', undefined],
    ['', undefined],
  ]
  for (const [name, expected] of meant) t.equal(suggest(name, KNOWN), expected, name)
  t.equal(suggest('inlet', []), undefined)
})

t.test('a hint asks for what was meant, and is none where no name is near', async (t) => {
  t.equal(hintAt('inlet', KNOWN), 'did you mean inlets?')
  t.equal(hintAt('threads', KNOWN), undefined)
})

t.test('two letters that changed places are one edit, in short names too', async (t) => {
  for (const [name, known] of [
    ['tabel', 'table'],
    ['ulr', 'url'],
    ['moed', 'mode'],
    ['kesy', 'keys'],
  ] as const) {
    t.equal(suggest(name, ['x', known, 'y']), known)
  }
  t.equal(suggest('tabel', ['label', 'table']), 'label', 'the first of two that are as near')
})

t.test(
  'a word of other programs stands for the option that is called otherwise here, where there is one',
  async (t) => {
    const meant: [name: string, known: string[], expected: string | undefined][] = [
      ['ssl', ['host', 'tls'], 'tls'],
      ['connectionString', ['host', 'url'], 'url'],
      ['uri', ['host', 'url'], 'url'],
      ['schedule', ['tags', 'cron', 'interval'], 'interval'],
      ['every', ['tags', 'interval'], 'interval'],
      ['retries', ['retry'], 'retry'],
      ['cursorColumn', ['collection', 'cursorField'], 'cursorField'],
      ['cursorField', ['table', 'cursorColumn'], 'cursorColumn'],
      ['ignore', ['refuse', 'drop'], 'drop'],
      ['drop', ['error', 'ignore'], 'ignore'],
      ['error', ['refuse', 'drop'], 'refuse'],
      ['refuse', ['error', 'ignore'], 'error'],
      ['ssl', ['host'], undefined],
      ['every', ['tags'], undefined],
      ['constructor', ['tags'], undefined],
    ]
    for (const [name, known, expected] of meant) t.equal(suggest(name, known), expected, name)
  },
)
