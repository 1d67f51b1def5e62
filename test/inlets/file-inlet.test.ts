import { appendFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { Cancellation } from '../../src/cancellation.js'
import { FileError } from '../../src/errors.js'
import { TransferCancelledError } from '../../src/errors.js'
import { FileInlet, FileInletMode, type FileInletOptions } from '../../src/inlets/file-inlet.js'
import { Update } from '../../src/update.js'
import { captureLogs } from '../helpers/logs.js'

const update = new Update(['file'], 0)

function stopped(): Update {
  const cancellation = new Cancellation()
  cancellation.cancel(new TransferCancelledError('stop'))
  return new Update(['file'], 0, cancellation)
}

t.test('each transfer reads one line, until there is none', async (t) => {
  const file = `${t.testdir({ text: '\uFEFFone\r\n\ntwo é\n' })}/text`
  const inlet = new FileInlet(file)
  await inlet.onStart()
  t.same(await inlet.pull(update), ['one'])
  t.same(await inlet.pull(update), [''])
  t.same(await inlet.pull(update), ['two é'])
  t.same(await inlet.pull(update), [])
  t.same(await inlet.pull(update), [])
  await inlet.onShutdown()
})

t.test('it goes on when the file grows, and a last line waits for its line end', async (t) => {
  const file = `${t.testdir({ text: 'one\ntw' })}/text`
  const inlet = new FileInlet(file, { linesPerTransfer: 10 })
  await inlet.onStart()
  t.same(await inlet.pull(update), ['one'])
  t.same(await inlet.pull(update), [])
  appendFileSync(file, Buffer.from('o é\n').subarray(0, 3))
  t.same(await inlet.pull(update), [])
  appendFileSync(file, Buffer.from('o é\n').subarray(3))
  t.same(await inlet.pull(update), ['two é'])
  await inlet.onShutdown()
})

t.test('a transfer reads as many lines as it may', async (t) => {
  const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index}`)
  const file = `${t.testdir({ text: `${lines.join('\n')}\n` })}/text`
  const inlet = new FileInlet(file, { linesPerTransfer: 20_000, mode: FileInletMode.LINE })
  await inlet.onStart()
  t.same(await inlet.pull(update), lines.slice(0, 20_000))
  t.same(await inlet.pull(update), lines.slice(20_000))
  t.same(inlet.saveState(), { position: statSync(file).size })
  await inlet.onShutdown()
})

t.test('a very long line is read', async (t) => {
  const long = 'é'.repeat(1_000_000)
  const inlet = new FileInlet(`${t.testdir({ text: `${long}\nshort\n` })}/text`)
  await inlet.onStart()
  t.ok((await inlet.pull(update))[0] === long)
  t.same(await inlet.pull(update), ['short'])
  await inlet.onShutdown()
})

t.test('transfers at the same time read different lines', async (t) => {
  const inlet = new FileInlet(`${t.testdir({ text: '1\n2\n3\n' })}/text`)
  await inlet.onStart()
  t.same(await Promise.all([1, 2, 3, 4].map(() => inlet.pull(update))), [['1'], ['2'], ['3'], []])
  await inlet.onShutdown()
})

t.test('encodings', async (t) => {
  const folder = t.testdir({
    latin1: Buffer.from('né\nà\n', 'latin1'),
    utf16: Buffer.from('\uFEFFné\r\nà\r\n', 'utf16le'),
  })
  const cases: [string, FileInletOptions][] = [
    [`${folder}/latin1`, { encoding: 'latin1' }],
    [`${folder}/utf16`, { encoding: 'utf-16le' }],
  ]
  for (const [file, options] of cases) {
    const inlet = new FileInlet(file, { ...options, linesPerTransfer: 2 })
    await inlet.onStart()
    t.same(await inlet.pull(update), ['né', 'à'])
    await inlet.onShutdown()
  }
  const whole = new FileInlet(`${folder}/utf16`, { encoding: 'utf16le', mode: 'file' })
  t.equal(await whole.pull(update), 'né\r\nà\r\n')
})

t.test('the whole file is one record at each transfer', async (t) => {
  const file = `${t.testdir({ text: '\uFEFFone\ntwo' })}/text`
  const inlet = new FileInlet(file, { mode: FileInletMode.FILE })
  await inlet.onStart()
  t.equal(await inlet.pull(update), 'one\ntwo')
  writeFileSync(file, '')
  t.equal(await inlet.pull(update), '')
  t.equal(inlet.saveState(), undefined)
  await inlet.onShutdown()
})

t.test('a missing file is an error with its path', async (t) => {
  const file = `${t.testdir()}/missing`
  const expected = {
    code: 'DATABAY_FILE',
    path: file,
    message: `FileInlet: cannot open ${file}: ENOENT`,
    cause: { code: 'ENOENT' },
  }
  await t.rejects(new FileInlet(file).onStart(), expected)
  const whole = new FileInlet(file, { mode: 'file' })
  await whole.onStart()
  await t.rejects(whole.pull(update), { code: 'DATABAY_FILE', message: `FileInlet: cannot read ${file}: ENOENT` })
})

t.test('a folder is an error', async (t) => {
  const inlet = new FileInlet(t.testdir())
  await inlet.onStart()
  await t.rejects(inlet.pull(update), { code: 'DATABAY_FILE', message: /EISDIR/ })
  await inlet.onShutdown()
})

t.test('a file that became shorter is read from its start', async (t) => {
  const logs = captureLogs(t)
  const file = `${t.testdir({ text: 'one\ntwo\nthree' })}/text`
  const inlet = new FileInlet(file, { linesPerTransfer: 9 })
  await inlet.onStart()
  t.same(await inlet.pull(update), ['one', 'two'])
  truncateSync(file)
  appendFileSync(file, 'new\n')
  t.same(await inlet.pull(update), [])
  t.same(await inlet.pull(update), ['new'])
  t.same(logs.messages(), [`FileInlet(${file}) became shorter: it is read from its start`])
  await inlet.onShutdown()
})

t.test('a transfer that is told to stop takes no lines', async (t) => {
  const file = `${t.testdir({ text: 'one\n' })}/text`
  const inlet = new FileInlet(file)
  await inlet.onStart()
  await t.rejects(inlet.pull(stopped()), TransferCancelledError)
  t.same(await inlet.pull(update), ['one'])
  await inlet.onShutdown()
  await t.rejects(new FileInlet(file, { mode: 'file' }).pull(stopped()), TransferCancelledError)
})

t.test('lines that were taken before the transfer was told to stop are read again', async (t) => {
  const long = 'x'.repeat(100_000) // more than is read at once
  const inlet = new FileInlet(`${t.testdir({ text: `one\n${long}\n` })}/text`, { linesPerTransfer: 2 })
  await inlet.onStart()
  const cancellation = new Cancellation()
  const { signal } = cancellation
  let checks = 0
  signal.throwIfAborted = () => {
    // after the first line was taken
    if (++checks === 3) cancellation.cancel(new TransferCancelledError('stop'))
    if (signal.aborted) throw signal.reason
  }
  await t.rejects(inlet.pull(new Update(['file'], 0, cancellation)), TransferCancelledError)
  t.same(inlet.saveState(), { position: 0 })
  t.same(await inlet.pull(update), ['one', long])
  await inlet.onShutdown()
})

t.test('another instance goes on where the state was saved', async (t) => {
  const file = `${t.testdir({ text: 'one\ntwo\nthree\n' })}/text`
  const one = new FileInlet(file)
  await one.onStart()
  await one.pull(update)
  await one.onShutdown()
  const state = structuredClone(one.saveState())
  t.same(state, { position: 4 })

  const other = new FileInlet(file)
  other.restoreState(state)
  t.same(other.saveState(), state)
  await other.onStart()
  t.same(await other.pull(update), ['two'])
  await other.onShutdown()

  for (const odd of [undefined, {}, { position: -1 }, { position: 'x' }]) {
    const fresh = new FileInlet(file)
    fresh.restoreState(odd)
    t.same(fresh.saveState(), { position: 0 })
  }
})

t.test('an inlet that is started again begins anew', async (t) => {
  const inlet = new FileInlet(`${t.testdir({ text: 'one\ntwo\n' })}/text`)
  for (let start = 0; start < 2; start++) {
    await inlet.onStart()
    t.same(await inlet.pull(update), ['one'])
    await inlet.onShutdown()
  }
  await inlet.onShutdown()
  await t.rejects(inlet.pull(update), FileError)
})

t.test('an inlet names itself with its path', async (t) => {
  t.equal(String(new FileInlet('a/b.txt')), 'FileInlet(a/b.txt)')
})

t.test('options are checked', async (t) => {
  const cases: [unknown, unknown, string][] = [
    ['', {}, 'FileInlet.filepath'],
    ['a', { mode: 'lines' }, 'FileInlet.mode'],
    ['a', { encoding: 'hex' }, 'FileInlet.encoding'],
    ['a', { linesPerTransfer: 0 }, 'FileInlet.linesPerTransfer'],
    ['a', { lines: 1 }, 'FileInlet.lines'],
  ]
  for (const [file, options, option] of cases) {
    t.throws(() => new FileInlet(file as string, options as FileInletOptions), {
      code: 'DATABAY_INVALID_OPTION',
      option,
    })
  }
})
