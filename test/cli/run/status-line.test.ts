import t from 'tap'
import { StatusLine } from '../../../src/cli/run/status-line.js'
import { FakeStream, screenOf } from '../../helpers/command.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'

t.test('a text takes the place of the one before', async (t) => {
  const terminal = new FakeStream(80)
  const line = new StatusLine(terminal, [])
  line.show('a long text')
  line.show('short')
  t.same(screenOf(terminal.text), ['short'])
  t.notMatch(terminal.text, '\n')
})

t.test('the same text is written once', async (t) => {
  const terminal = new FakeStream(80)
  const line = new StatusLine(terminal, [])
  line.show('same')
  const { text } = terminal
  line.show('same')
  t.equal(terminal.text, text)
})

t.test('what others write comes above the line', async (t) => {
  const terminal = new FakeStream(80)
  const line = new StatusLine(terminal, [])
  line.show('status')
  terminal.write('first\n')
  terminal.write(Buffer.from('second\n'))
  await turnOfTheLoop()
  t.same(screenOf(terminal.text), ['first', 'second', 'status'])
})

t.test('another stream to the same terminal is kept apart from the line too', async (t) => {
  const terminal = new FakeStream(80)
  const other = new FakeStream(80)
  const write = (chunk: string | Uint8Array) => {
    terminal.text += String(chunk) // past the line's guard of the terminal
    return true
  }
  other.write = write
  const line = new StatusLine(terminal, [other])
  line.show('status')
  other.write('printed\n')
  await turnOfTheLoop()
  t.same(screenOf(terminal.text), ['printed', 'status'])
  line.close()
  t.equal(Reflect.get(other, 'write'), write, 'it is as it was')
  t.same(screenOf(terminal.text), ['printed', ''])
})

t.test('many writes of one turn have the line drawn once', async (t) => {
  const terminal = new FakeStream(80)
  const line = new StatusLine(terminal, [])
  line.show('status')
  for (let index = 0; index < 100; index++) terminal.write(`${index}\n`)
  await turnOfTheLoop()
  t.equal(terminal.text.match(/status/g)?.length, 2)
  line.close()
})

t.test('while another line is unfinished the status stays away', async (t) => {
  const terminal = new FakeStream(80)
  const line = new StatusLine(terminal, [])
  line.show('status')
  terminal.write('half ')
  await turnOfTheLoop()
  line.show('newer status')
  t.same(screenOf(terminal.text), ['half '])
  terminal.write('')
  await turnOfTheLoop()
  t.same(screenOf(terminal.text), ['half '], 'nothing written ends no line')
  terminal.write('a line\n\u001b[0m')
  await turnOfTheLoop()
  t.same(screenOf(terminal.text), ['half a line', 'newer status'])
  line.close()
})

t.test('a closed line leaves no trace', async (t) => {
  const terminal = new FakeStream(80)
  const line = new StatusLine(terminal, [])
  line.show('status')
  terminal.write('text\n')
  line.close()
  await turnOfTheLoop()
  terminal.write('more\n')
  t.same(screenOf(terminal.text), ['text', 'more', ''])
  t.notOk(Object.hasOwn(terminal, 'write'), 'the stream is as it was')
  line.close()
})

t.test('there is room for one character less than there are columns', async (t) => {
  t.equal(new StatusLine(new FakeStream(80), []).width, 79)
  t.equal(new StatusLine(new FakeStream(0), []).width, 79, 'where the terminal does not say')
})
