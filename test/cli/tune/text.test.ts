import t from 'tap'
import { chart, table } from '../../../src/cli/tune/text.js'

t.test('the longest bar has all the room there is, the others their share of it', async (t) => {
  const bars = [
    { label: '1 thread', value: 50, text: '50' },
    { label: '16 threads', value: 100, text: '100' },
    { label: 'none', value: 0, text: '0' },
  ]
  t.equal(
    chart('records/s', bars, 27),
    `records/s
    1 thread █████ 50
  16 threads ██████████ 100
        none  0
`,
  )
})

t.test('bars end in eighths of a character', async (t) => {
  const bar = (value: number) => ({ label: '', value, text: '' })
  t.equal(chart('', [bar(8), bar(1), bar(4), bar(7)], 5).replaceAll(' ', ''), '\n█\n▏\n▌\n▉\n')
})

t.test('where all is 0 there are no bars, and a narrow terminal breaks nothing', async (t) => {
  t.equal(chart('x', [{ label: 'a', value: 0, text: '0 ms' }], 40), 'x\n  a  0 ms\n')
  t.equal(chart('x', [{ label: 'a', value: 3, text: '3 ms' }], 2), 'x\n  a █ 3 ms\n')
})

t.test('columns are as wide as they need to be', async (t) => {
  t.equal(
    table([
      ['', 'records/s'],
      ['1 thread', '1'],
    ]),
    '          records/s\n1 thread          1\n',
  )
})
