import t from 'tap'
import { printable, printableLines } from '../../src/base/printable.js'

t.test('control characters are shown, and all else stays as it is', async (t) => {
  const texts: [string, string][] = [
    ['plain text, ünïcode and \u{1f600}', 'plain text, ünïcode and \u{1f600}'],
    ['two\nlines\r\n\ttab', 'two\\nlines\\r\\n\\ttab'],
    ['\u001b[31mred\u001b[0m\u0007', '\\x1b[31mred\\x1b[0m\\x07'],
    ['\u009b31m and \u007f', '\\x9b31m and \\x7f'],
    ['a\u2028b\u202ec\u2066d', 'a\\u2028b\\u202ec\\u2066d'],
  ]
  for (const [text, shown] of texts) t.equal(printable(text), shown)
})

t.test('of several lines, none but the first begins at the margin', async (t) => {
  t.equal(
    printableLines('Error: x\n    at y\n2020-07-30 19:51:41.318|E| forged (databay)\n\u001b[2J'),
    'Error: x\n    at y\n  2020-07-30 19:51:41.318|E| forged (databay)\n  \\x1b[2J',
  )
})
