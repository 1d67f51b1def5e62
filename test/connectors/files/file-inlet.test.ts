import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { Cancellation } from '../../../src/core/cancellation.js'
import { FileError } from '../../../src/connectors/errors.js'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { FileInlet, FileInletMode, type FileInletOptions } from '../../../src/connectors/files/file-inlet.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { pulledBy } from '../../helpers/nodes.js'

const update = new Update(['file'], 0)

function stopped(): Update {
  const cancellation = new Cancellation()
  cancellation.cancel(new TransferCancelledError('stop'))
  return new Update(['file'], 0, cancellation)
}

/** Pulls for a transfer that delivers the lines, or fails to. */
async function transferred(inlet: FileInlet, delivered = true): Promise<string | string[]> {
  const update = new Update(['file'], 0)
  const pulled = await pulledBy(inlet, update)
  await inlet.onTransferEnd(update, delivered)
  return pulled
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
  t.match(inlet.saveState(), { position: statSync(file).size })
  await inlet.onShutdown()
})

t.test('a transfer reads all lines that are there, and then those that have come', async (t) => {
  const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index}`)
  const file = `${t.testdir({ text: `${lines.join('\n')}\n` })}/text`
  const inlet = new FileInlet(file, { linesPerTransfer: Infinity })
  await inlet.onStart()
  t.same(await pulledBy(inlet, update), lines)
  appendFileSync(file, 'more\n')
  t.same(await inlet.pull(update), ['more'])
  await inlet.onShutdown()
})

t.test('a very long line is read', async (t) => {
  const long = 'é'.repeat(500_000)
  const inlet = new FileInlet(`${t.testdir({ text: `${long}\nshort\n` })}/text`)
  await inlet.onStart()
  t.ok((await pulledBy(inlet, update))[0] === long)
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

t.test('a file that is missing can be awaited', async (t) => {
  const folder = `${t.testdir()}/later`
  const inlet = new FileInlet(`${folder}/text`, { missing: 'await' })
  const whole = new FileInlet(`${folder}/text`, { missing: 'await', mode: 'file' })
  await inlet.onStart()
  t.same(await inlet.pull(update), [])
  t.same(await whole.pull(update), [])
  t.equal(inlet.saveState(), undefined)
  mkdirSync(folder)
  writeFileSync(`${folder}/text`, 'one\n')
  t.same(await inlet.pull(update), ['one'])
  t.equal(await whole.pull(update), 'one\n')
  await inlet.onShutdown()
})

t.test('what is no regular file is an error', async (t) => {
  const folder = t.testdir()
  execFileSync('mkfifo', [`${folder}/pipe`])
  for (const path of [folder, `${folder}/pipe`]) {
    const message = `FileInlet: cannot open ${path}: it is not a regular file`
    await t.rejects(new FileInlet(path, { missing: 'await' }).onStart(), { code: 'DATABAY_FILE', message })
    const whole = new FileInlet(path, { mode: 'file', missing: 'await' })
    await t.rejects(whole.pull(update), { code: 'DATABAY_FILE', message: message.replace('open', 'read') })
  }
})

t.test('a folder or a pipe whose name is like that of a rotated file is passed over', async (t) => {
  const folder = t.testdir({ 'log.1': {}, 'log-20240101': { some: 'file' }, log: '1\n2' })
  execFileSync('mkfifo', [`${folder}/log.2`])
  const file = `${folder}/log`
  const inlet = new FileInlet(file, { linesPerTransfer: 9 })
  captureLogs(t)
  await inlet.onStart()
  t.same(await inlet.pull(update), ['1'])
  renameSync(file, `${file}.3`)
  writeFileSync(file, '3\n')
  t.same(await inlet.pull(update), ['2'])
  t.same(await inlet.pull(update), ['3'])
  await inlet.onShutdown()
})

t.test('a last line that is too long and never gets an end is an error once, and the next file follows', async (t) => {
  const logs = captureLogs(t)
  const long = 'x'.repeat(200_000)
  const file = `${t.testdir({ log: `1\n${long}` })}/log`
  const inlet = new FileInlet(file, { linesPerTransfer: 2, maxLineLength: 10 })
  const message = `FileInlet: cannot read ${file}: the line at byte 2 is longer than maxLineLength, which is 10 bytes`
  await inlet.onStart()
  t.same(await inlet.pull(update), ['1'])
  await t.rejects(inlet.pull(update), { message })
  await t.rejects(inlet.pull(update), { message }, 'it may get an end')
  renameSync(file, `${file}.1`)
  writeFileSync(file, '2\n')
  await t.rejects(inlet.pull(update), { message })
  t.match(logs.entries().at(-1), { damaged: 1, total: 1, msg: /1 lines not taken as they are: the line at byte 2 is/ })
  t.same(await inlet.pull(update), ['2'])
  await inlet.onShutdown()
})

t.test('a line that is too long and has an end is an error at each attempt, also in a rotated file', async (t) => {
  const file = `${t.testdir({ log: `${'x'.repeat(200_000)}\n1\n` })}/log`
  const inlet = new FileInlet(file, { maxLineLength: 10 })
  await inlet.onStart()
  renameSync(file, `${file}.1`)
  writeFileSync(file, '2\n')
  for (let attempt = 0; attempt < 3; attempt++)
    await t.rejects(inlet.pull(update), { message: /the line at byte 0 is/ })
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
  t.same(await inlet.pull(update), ['new'])
  t.same(logs.messages(), [
    `FileInlet(${file}) was truncated or written anew after it was read up to byte 8: it is read from its start`,
  ])
  await inlet.onShutdown()
})

t.test('a file that was rewritten and grew past the position is read from its start', async (t) => {
  const logs = captureLogs(t)
  const filler = 'x'.repeat(2000)
  for (const [before, after] of [
    ['one\ntwo\n', 'eins\nzwei\ndrei\n'],
    [`head a\n${filler}\nsame\n`, `head b\n${filler}\nsame\nmore\n`],
    [`head\n${filler}\none\n`, `head\n${filler}\neins\nmore\n`],
  ] as [string, string][]) {
    const file = `${t.testdir({ text: before })}/text`
    const inlet = new FileInlet(file, { linesPerTransfer: 9 })
    await inlet.onStart()
    await inlet.pull(update)
    writeFileSync(file, after)
    t.same(await inlet.pull(update), after.trimEnd().split('\n'))
    await inlet.onShutdown()
  }
  t.equal(logs.lines.length, 3)
})

t.test('of a file that is rotated the rest is read first, with a last line that has no end', async (t) => {
  const logs = captureLogs(t)
  const file = `${t.testdir({ log: '1\n2\n3\n4' })}/log`
  const inlet = new FileInlet(file, { linesPerTransfer: 2 })
  await inlet.onStart()
  t.same(await inlet.pull(update), ['1', '2'])
  renameSync(file, `${file}.1`)
  t.same(await inlet.pull(update), ['3'])
  writeFileSync(file, '')
  t.same(await inlet.pull(update), [], 'nothing is in the new file: the old one may still be written to')
  appendFileSync(`${file}.1`, '5\n6')
  t.same(await inlet.pull(update), ['45'])
  writeFileSync(file, '\uFEFF7\n')
  t.same(await inlet.pull(update), ['6'])
  t.same(await inlet.pull(update), ['7'])
  t.same(logs.messages(), [`FileInlet(${file}): the last of the lines of a file has no end`])
  await inlet.onShutdown()
})

t.test('no file is passed over when there were several rotations', async (t) => {
  const file = `${t.testdir({ log: '1\n' })}/log`
  const inlet = new FileInlet(file, { linesPerTransfer: 9 })
  await inlet.onStart()
  t.same(await inlet.pull(update), ['1'])
  for (const lines of ['2\n', '3\n', '4\n']) {
    for (const age of [2, 1]) {
      if (existsSync(`${file}.${age}`)) renameSync(`${file}.${age}`, `${file}.${age + 1}`)
    }
    renameSync(file, `${file}.1`)
    writeFileSync(file, lines)
  }
  writeFileSync(`${file}.bak`, 'no part of it\n')
  const pulled = []
  for (let pull = 0; pull < 5; pull++) pulled.push(await inlet.pull(update))
  t.same(pulled, [['2'], ['3'], ['4'], [], []])
  await inlet.onShutdown()
})

t.test('no line is lost or comes twice while another thread writes and rotates', async (t) => {
  const file = `${t.testdir({ log: '' })}/log`
  const [rotations, each] = [60, 200]
  const writer = new Worker(
    `const { appendFileSync, renameSync } = require('node:fs')
    let line = 0
    for (let rotation = 0; rotation <= ${rotations}; rotation++) {
      for (let i = 0; i < ${each}; i++) appendFileSync(${JSON.stringify(file)}, line++ + '\\n')
      for (let age = rotation; age > 0; age--) renameSync(${JSON.stringify(file)} + '.' + age, ${JSON.stringify(file)} + '.' + (age + 1))
      if (rotation < ${rotations}) renameSync(${JSON.stringify(file)}, ${JSON.stringify(file)} + '.1')
    }`,
    { eval: true },
  )
  const written = once(writer, 'exit')
  const inlet = new FileInlet(file, { linesPerTransfer: 50, missing: 'await' })
  await inlet.onStart()
  const lines: string[] = []
  const total = (rotations + 1) * each
  while (lines.length < total) lines.push(...((await inlet.pull(update)) as string[]))
  await written
  t.same(await inlet.pull(update), [])
  t.ok(lines.every((line, index) => line === `${index}`))
  await inlet.onShutdown()
})

t.test('a rotated file that is deleted before the next ones were read does not hide them', async (t) => {
  const file = `${t.testdir({ 'log.1': '0\n', log: '1\n' })}/log`
  utimesSync(`${file}.1`, 1, 1)
  utimesSync(file, 2, 2)
  const inlet = new FileInlet(file, { linesPerTransfer: 9 })
  await inlet.onStart()
  t.same(await inlet.pull(update), ['1'])
  rmSync(file)
  rmSync(`${file}.1`)
  writeFileSync(`${file}.2`, '2\n')
  writeFileSync(`${file}.1`, '3\n')
  writeFileSync(file, '4\n')
  t.same(await inlet.pull(update), ['2'])
  t.same(await inlet.pull(update), ['3'])
  t.same(await inlet.pull(update), ['4'])
  await inlet.onShutdown()
})

t.test('a file that is rotated under another kind of name is followed, too', async (t) => {
  const file = `${t.testdir({ log: '1\n2\n' })}/log`
  const first = new FileInlet(file)
  await first.onStart()
  t.same(await first.pull(update), ['1'])
  await first.onShutdown()
  renameSync(file, `${file}-20240101`)
  writeFileSync(file, '3\n')
  const second = new FileInlet(file)
  second.restoreState(first.saveState())
  await second.onStart()
  t.same(await second.pull(update), ['2'])
  t.same(await second.pull(update), ['3'])
  await second.onShutdown()
})

t.test('no file is passed over, nor forgotten over a restart, when what a link leads to is rotated', async (t) => {
  const logs = captureLogs(t)
  const folder = t.testdir({ logs: { log: '1\n2\n' }, link: t.fixture('symlink', 'logs/log') })
  const file = `${folder}/logs/log`
  const options = { positionFile: `${folder}/position` }
  const rotate = (line: string) => {
    for (const age of [1, 0]) {
      const name = age === 0 ? file : `${file}.${age}`
      if (existsSync(name)) renameSync(name, `${file}.${age + 1}`)
    }
    writeFileSync(file, line)
  }
  const before = new FileInlet(`${folder}/link`, options)
  await before.onStart()
  t.same(await transferred(before), ['1'])
  await before.onShutdown()
  rotate('3\n')
  rotate('4\n')
  const after = new FileInlet(`${folder}/link`, options)
  await after.onStart()
  for (const line of ['2', '3', '4']) t.same(await transferred(after), [line])
  t.same(await transferred(after), [])
  await after.onShutdown()
  t.same(logs.messages(), [])
})

t.test('a file that was deleted is read to its end, and then the one that has its name', async (t) => {
  const file = `${t.testdir({ log: '1\n2\n' })}/log`
  const inlet = new FileInlet(file)
  await inlet.onStart()
  rmSync(file)
  t.same(await inlet.pull(update), ['1'])
  t.same(await inlet.pull(update), ['2'])
  t.same(await inlet.pull(update), [])
  writeFileSync(file, '3\n')
  t.same(await inlet.pull(update), ['3'])
  await inlet.onShutdown()
})

t.test('long lines are counted in the log', async (t) => {
  const logs = captureLogs(t)
  const file = `${t.testdir({ text: `1\n${'x'.repeat(200_000)}\n12345\n2\n` })}/text`
  const pulls = async (options: FileInletOptions) => {
    const inlet = new FileInlet(file, { ...options, maxLineLength: 4 })
    await inlet.onStart()
    const pulled = [await inlet.pull(update), await inlet.pull(update), await inlet.pull(update)]
    await inlet.onShutdown()
    return pulled
  }
  t.same(await pulls({ longLines: 'skip' }), [['1'], ['2'], []])
  t.same(await pulls({ longLines: 'truncate', linesPerTransfer: 2 }), [['1', 'xxxx'], ['1234', '2'], []])
  const reason = 'the line at byte 2 is longer than maxLineLength, which is 4 bytes'
  t.match(logs.entries()[0], {
    msg: `FileInlet(${file}): 2 lines not taken as they are: ${reason}`,
    damaged: 2,
    total: 2,
  })
  const inlet = new FileInlet(file, { maxLineLength: 4, linesPerTransfer: 9 })
  await inlet.onStart()
  t.same(await inlet.pull(update), ['1'], 'lines before a long one are not held up by it')
  for (let attempt = 0; attempt < 2; attempt++) {
    await t.rejects(inlet.pull(update), { code: 'DATABAY_FILE', message: `FileInlet: cannot read ${file}: ${reason}` })
  }
  await inlet.onShutdown()
})

t.test('with a position file, a start goes on where the shutdown was', async (t) => {
  const folder = t.testdir({ log: '1\n2\n3\n4\n5\n' })
  const [log, positionFile] = [`${folder}/log`, `${folder}/position`]
  const pulled: (string | string[])[] = []
  for (let start = 0; start < 3; start++) {
    const inlet = new FileInlet(log, { positionFile })
    await inlet.onStart()
    pulled.push(await transferred(inlet))
    await inlet.onShutdown()
  }
  t.same(pulled, [['1'], ['2'], ['3']])
  t.notMatch(readFileSync(positionFile, 'utf8'), /\d\\n/, 'nothing of the file is in it')
  t.same(readdirSync(folder).toSorted(), ['log', 'position'])

  const crashing = new FileInlet(log, { positionFile })
  await crashing.onStart()
  t.same(await transferred(crashing), ['4'])
  t.same(await crashing.pull(update), ['5'])
  copyFileSync(positionFile, `${folder}/crashed`)
  const after = new FileInlet(log, { positionFile: `${folder}/crashed` })
  await after.onStart()
  t.same(await transferred(after), ['5'], 'the lines of a transfer that had not ended are read again, and no others')
  await after.onShutdown()
  await crashing.onShutdown()
})

t.test('a position is stored when its transfer has ended: a crash between two transfers repeats nothing', async (t) => {
  const folder = t.testdir({ log: '1\n2\n3\n' })
  const crashing = new FileInlet(`${folder}/log`, { positionFile: `${folder}/position` })
  await crashing.onStart()
  t.same(await transferred(crashing), ['1'])
  copyFileSync(`${folder}/position`, `${folder}/crashed`)
  const after = new FileInlet(`${folder}/log`, { positionFile: `${folder}/crashed` })
  await after.onStart()
  t.same(await transferred(after), ['2'])
  await after.onShutdown()

  t.same(await crashing.pull(update), ['2'])
  rmSync(`${folder}/position`)
  mkdirSync(`${folder}/position`)
  await crashing.onTransferEnd(update, true)
  await t.rejects(crashing.pull(update), /cannot write/, 'what could not be stored then is stored by the next pull')
  rmSync(`${folder}/position`, { recursive: true })
  t.same(await transferred(crashing), ['3'])
  await crashing.onShutdown()
})

t.test('a start that does not find the file that was read says so', async (t) => {
  const logs = captureLogs(t)
  const folder = t.testdir({ log: '1\n2\n' })
  const [log, positionFile] = [`${folder}/log`, `${folder}/position`]
  const read = async () => {
    const inlet = new FileInlet(log, { positionFile, linesPerTransfer: 9 })
    await inlet.onStart()
    const lines = await transferred(inlet)
    await inlet.onShutdown()
    return lines
  }
  t.same(await read(), ['1', '2'])
  writeFileSync(`${folder}/new`, '1\n3\n')
  renameSync(`${folder}/new`, log)
  t.same(await read(), ['1', '3'])
  writeFileSync(log, 'anew\nand more\n')
  t.same(await read(), ['anew', 'and more'])
  t.match(logs.messages()[0], /the file that was read up to byte 4 is gone|was truncated or written anew/)
  t.match(logs.messages()[1], /was truncated or written anew/)
})

t.test('a file that a rotated one was compressed into is not taken for it, whatever inode it was given', async (t) => {
  const logs = captureLogs(t)
  const folder = t.testdir({ log: '1\n2\n' })
  const [log, positionFile] = [`${folder}/log`, `${folder}/position`]
  const before = new FileInlet(log, { positionFile, linesPerTransfer: 9 })
  await before.onStart()
  t.same(await transferred(before), ['1', '2'])
  await before.onShutdown()
  // a rename keeps the inode for certain
  renameSync(log, `${folder}/log.1.gz`)
  writeFileSync(`${folder}/log.1.gz`, 'not text\n')
  writeFileSync(log, '3\n')
  const after = new FileInlet(log, { positionFile, linesPerTransfer: 9 })
  await after.onStart()
  t.same(await transferred(after), ['3'])
  await after.onShutdown()
  t.match(logs.messages(), [/the file that was read up to byte 4 is gone/])
})

t.test('a position file that cannot be used is an error, and nothing is read', async (t) => {
  const folder = t.testdir({ log: '1\n', odd: '{', other: '{"version":1}', place: {} })
  for (const name of ['odd', 'other']) {
    const path = `${folder}/${name}`
    const message = `FileInlet: cannot read ${path}: it holds no position of this inlet`
    await t.rejects(new FileInlet(`${folder}/log`, { positionFile: path }).onStart(), { path, message })
  }
  const csv = { inode: String(statSync(`${folder}/log`).ino), position: 0, fingerprint: '', damaged: 0 }
  writeFileSync(`${folder}/odd`, JSON.stringify({ version: 1, ...csv, state: { line: 1 } }))
  await t.rejects(new FileInlet(`${folder}/log`, { positionFile: `${folder}/odd` }).onStart(), /not of this inlet/)

  const inlet = new FileInlet(`${folder}/log`, { positionFile: `${folder}/place/position` })
  await inlet.onStart()
  const inTheWay = () => {
    rmSync(`${folder}/place`, { recursive: true })
    writeFileSync(`${folder}/place`, '')
  }
  inTheWay()
  await t.rejects(inlet.pull(update), { path: `${folder}/place/position`, message: /cannot write/ })
  rmSync(`${folder}/place`)
  t.same(await inlet.pull(update), ['1'])
  inTheWay()
  await inlet.onTransferEnd(update, true)
  await t.rejects(inlet.onShutdown(), FileError)
  await inlet.onShutdown()
})

t.test('a transfer that is cancelled takes no lines', async (t) => {
  const file = `${t.testdir({ text: 'one\n' })}/text`
  const inlet = new FileInlet(file)
  await inlet.onStart()
  await t.rejects(inlet.pull(stopped()), TransferCancelledError)
  t.same(await inlet.pull(update), ['one'])
  await inlet.onShutdown()
  await t.rejects(new FileInlet(file, { mode: 'file' }).pull(stopped()), TransferCancelledError)
})

t.test('lines that were taken before the transfer was cancelled are read again', async (t) => {
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
  t.match(inlet.saveState(), { position: 0 })
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
  t.match(state, { position: 4 })

  const other = new FileInlet(file)
  other.restoreState(state)
  t.same(other.saveState(), state)
  await other.onStart()
  t.same(await other.pull(update), ['two'])
  await other.onShutdown()

  for (const odd of [undefined, {}, { ...(state as object), position: -1 }, { ...(state as object), state: 1 }]) {
    const fresh = new FileInlet(file)
    fresh.restoreState(odd)
    t.equal(fresh.saveState(), undefined)
  }
})

t.test('a restored state is kept for the next start when one fails', async (t) => {
  const file = `${t.testdir({ text: 'one\ntwo\n' })}/text`
  const one = new FileInlet(file)
  await one.onStart()
  await one.pull(update)
  await one.onShutdown()
  const other = new FileInlet(file)
  other.restoreState(one.saveState())
  renameSync(file, `${file}.away`)
  symlinkSync(file, file) // a path that is neither a file nor missing
  await t.rejects(other.onStart(), { code: 'DATABAY_FILE', cause: { code: 'ELOOP' } })
  rmSync(file)
  renameSync(`${file}.away`, file)
  t.same(other.saveState(), one.saveState())
  await other.onStart()
  t.same(await other.pull(update), ['two'])
  await other.onShutdown()
})

t.test('an inlet that is started again begins at the start of the file', async (t) => {
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
    ['a', { maxLineLength: 0 }, 'FileInlet.maxLineLength'],
    ['a', { longLines: 'cut' }, 'FileInlet.longLines'],
    ['a', { missing: 'wait' }, 'FileInlet.missing'],
    ['a', { positionFile: '' }, 'FileInlet.positionFile'],
    ['a', { positionFile: 'b', mode: 'file' }, 'FileInlet.positionFile'],
    ['a', { redeliver: false, mode: 'file' }, 'FileInlet.redeliver'],
    ['a', { redeliver: 1 }, 'FileInlet.redeliver'],
    ['a', { positionFile: './b/../a' }, 'FileInlet.positionFile'],
    ['a', { lines: 1 }, 'FileInlet.lines'],
  ]
  for (const [file, options, option] of cases) {
    t.throws(() => new FileInlet(file as string, options as FileInletOptions), {
      code: 'DATABAY_INVALID_OPTION',
      option,
    })
  }
})

t.test('bytes that are not of the encoding become other characters, and are counted in the log', async (t) => {
  const logs = captureLogs(t)
  const cases = [
    ['utf-8', Buffer.from('a\nä\nb\uFFFD\n', 'latin1'), ['a', '\uFFFD', 'b\uFFFD'], 2],
    ['utf-8', Buffer.from('a\uFFFD\n'), ['a\uFFFD'], 0],
    ['ascii', Buffer.from('a\né\n', 'latin1'), ['a', 'i'], 1],
    ['latin1', Buffer.from('a\né\n', 'latin1'), ['a', 'é'], 0],
    ['utf-16le', Buffer.from('a\n\uD800b\n😀\n', 'utf-16le'), ['a', '\uD800b', '😀'], 1],
  ] as const
  for (const [encoding, bytes, lines, damaged] of cases) {
    const file = `${t.testdir({ text: bytes })}/text`
    const inlet = new FileInlet(file, { encoding, linesPerTransfer: 9 })
    await inlet.onStart()
    t.same(await pulledBy(inlet, update), lines)
    await inlet.onShutdown()
    t.same(await new FileInlet(file, { encoding, mode: 'file' }).pull(update), `${lines.join('\n')}\n`)
    const said = damaged === 0 ? [] : [{ damaged, msg: new RegExp(`has bytes that are not ${encoding}$`) }, {}]
    t.match(logs.entries(), said)
    t.equal(logs.lines.splice(0).length, said.length, 'once per transfer')
  }
})

t.test('no file is passed over when there were several rotations under names with dates', async (t) => {
  const logs = captureLogs(t)
  const names: [string, (day: number) => string][] = [
    ['log', (day) => `log-2024010${day}`],
    ['log', (day) => `log.2024-01-0${day}T00:00:00Z`],
    ['app.log', (day) => `app-2024010${day}.log`],
    ['app.log', (day) => `app.log.2024-01-0${day}`],
  ]
  for (const [name, dated] of names) {
    for (const restart of [false, true]) {
      const folder = t.testdir({ [name]: '1\n', 'app-config.log': 'x\n', [`${name}.bak`]: 'x\n' })
      const path = `${folder}/${name}`
      const options = { linesPerTransfer: 9, positionFile: `${folder}/position` }
      let inlet = new FileInlet(path, options)
      await inlet.onStart()
      t.same(await transferred(inlet), ['1'])
      if (restart) await inlet.onShutdown()
      for (const day of [1, 2, 3]) {
        renameSync(path, `${folder}/${dated(day)}`)
        utimesSync(`${folder}/${dated(day)}`, day, day === 3 ? 2 : day) // two with the same time, as a coarse clock gives
        writeFileSync(path, `${day + 1}\n`)
      }
      if (restart) {
        inlet = new FileInlet(path, options)
        await inlet.onStart()
      }
      const pulled = []
      for (let pull = 0; pull < 5; pull++) pulled.push(await transferred(inlet))
      t.same(pulled, [['2'], ['3'], ['4'], [], []], dated(1))
      await inlet.onShutdown()
    }
  }
  t.same(logs.messages(), [])
})

t.test('a rotated file that was compressed before it was read is said to be passed over', async (t) => {
  const logs = captureLogs(t)
  for (const rotated of ['log-20240102.gz', 'log.1.zst']) {
    const folder = t.testdir({ log: '1\n', 'log-20240101': '' })
    const path = `${folder}/log`
    const inlet = new FileInlet(path, { linesPerTransfer: 9 })
    await inlet.onStart()
    t.same(await inlet.pull(update), ['1'])
    rmSync(`${folder}/log-20240101`)
    renameSync(path, `${folder}/log-20240101`)
    utimesSync(`${folder}/log-20240101`, 1, 1)
    writeFileSync(`${folder}/${rotated}`, 'no text')
    utimesSync(`${folder}/${rotated}`, 2, 2)
    writeFileSync(path, '3\n')
    t.same(await inlet.pull(update), ['3'])
    await inlet.onShutdown()
    const message = `content may have been passed over: ${folder}/${rotated} was compressed before it was read`
    t.same(logs.messages(), [`FileInlet(${path}): ${message}`])
    logs.lines.length = 0
  }
})
