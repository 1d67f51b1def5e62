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
