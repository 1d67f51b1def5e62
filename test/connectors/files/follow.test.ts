import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { CsvInlet } from '../../../src/connectors/csv/csv-inlet.js'
import { FileInlet, type FileInletOptions } from '../../../src/connectors/files/file-inlet.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'

const update = new Update(['file'], 0)

/** Pulls for a transfer that delivers the lines. */
async function pullOf(inlet: FileInlet): Promise<string | string[]> {
  const update = new Update(['file'], 0)
  const lines = (await inlet.pull(update)) as string | string[]
  inlet.onTransferEnd(update, true)
  return lines
}

async function open(t: Test, content: string | Uint8Array, options: FileInletOptions = {}, name = 'text') {
  const file = `${t.testdir({})}/${name}`
  writeFileSync(file, content)
  const inlet = new FileInlet(file, { linesPerTransfer: 9, ...options })
  await inlet.onStart()
  return { file, inlet, pull: () => pullOf(inlet) }
}

t.test('a file that does not grow is read to its end, with its last line', async (t) => {
  const logs = captureLogs(t)
  const { file, inlet, pull } = await open(t, 'one\ntwo', { follow: false })
  t.same([await pull(), await pull()], [['one', 'two'], []])
  for (const end of ['\n', '\r\n']) {
    appendFileSync(file, `${end}three`)
    t.same(await pull(), ['three'], 'what is added is read likewise, and a line end ends the last line')
    appendFileSync(file, end)
    t.same(await pull(), [])
    appendFileSync(file, `${end}four`)
    t.same(await pull(), ['', 'four'])
  }
  appendFileSync(file, ' and more')
  t.same(await pull(), [' and more'])
  await inlet.onShutdown()
  const rows = new CsvInlet(`${t.testdir({ csv: 'a,b\n1,2\n3,"4"' })}/csv`, { follow: false })
  await rows.onStart()
  t.same(await rows.pull(update), [
    { a: '1', b: '2' },
    { a: '3', b: '4' },
  ])
  await rows.onShutdown()
  t.same(logs.lines, [])
})

t.test('at the end, the position is behind the last line', async (t) => {
  const folder = t.testdir({ text: 'one\ntwo' })
  const options = { follow: false, linesPerTransfer: 9, positionFile: `${folder}/position` }
  for (const lines of [['one', 'two'], []]) {
    const inlet = new FileInlet(`${folder}/text`, options)
    await inlet.onStart()
    t.same(await pullOf(inlet), lines)
    await inlet.onShutdown()
  }
  t.match(JSON.parse(readFileSync(options.positionFile, 'utf8')), { position: 7 })
})

t.test('the mode file reads the whole file anyway', async (t) => {
  t.throws(() => new FileInlet('a', { mode: 'file', follow: true }), {
    code: 'DATABAY_INVALID_OPTION',
    message: /FileInlet.follow/,
  })
  t.throws(() => new CsvInlet('a', { follow: 1 as unknown as boolean }), {
    code: 'DATABAY_INVALID_OPTION',
    message: /CsvInlet.follow/,
  })
})

t.test('what waits for its line end is told of once, when the inlet stops', async (t) => {
  const logs = captureLogs(t)
  const { file, inlet, pull } = await open(t, 'one\ntwo')
  t.same([await pull(), await pull()], [['one'], []])
  t.same(logs.lines, [])
  await inlet.onShutdown()
  await inlet.onShutdown()
  const waits =
    '3 bytes at the end of the file were not read: the last of the lines has no line end. The option follow: false reads it'
  t.match(logs.entries(), [{ level: 40, bytes: 3, msg: `FileInlet(${file}): ${waits}` }])
  t.equal(logs.lines.length, 1)
})

t.test('nothing is told of a file that ends with its last line, is not read, or is read on elsewhere', async (t) => {
  const logs = captureLogs(t)
  for (const content of ['one\n', '\uFEFFone\n', '', '\uFEFF']) {
    const { inlet, pull } = await open(t, content)
    await pull()
    await inlet.onShutdown()
  }
  const unread = await open(t, 'one\ntwo')
  await unread.inlet.onShutdown()
  const moved = await open(t, 'one\ntwo')
  await moved.pull()
  const other = new FileInlet(moved.file)
  other.restoreState(moved.inlet.saveState())
  await moved.inlet.onShutdown()
  const more = await open(t, 'one\ntwo\nthree', { linesPerTransfer: 1 })
  await more.pull()
  await more.inlet.onShutdown()
  t.same(logs.lines, [])
})

t.test('a quote that is never closed waits, and is told of', async (t) => {
  const logs = captureLogs(t)
  const inlet = new CsvInlet(`${t.testdir({ csv: 'a,b\n1,2\n3,"4\n5,6\n' })}/csv`)
  await inlet.onStart()
  t.same(await inlet.pull(update), [{ a: '1', b: '2' }])
  await inlet.onShutdown()
  t.match(logs.entries(), [{ bytes: 9, msg: /the last of the rows has no line end/ }])
})

t.test('a gzip file is read unpacked to its end, whatever its name', async (t) => {
  const logs = captureLogs(t)
  const lines = Array.from({ length: 30_000 }, (_, number) => `line ${number} ${Math.sin(number)}`)
  const members = [lines.slice(0, 10), lines.slice(10)].map((part) => gzipSync(part.join('\n')))
  const content = Buffer.concat([members[0]!, gzipSync('\n'), members[1]!])
  const positionFile = `${t.testdir({ positions: {} })}/positions/gzip`
  for (const name of ['text', 'text.gz']) {
    const { file, inlet, pull } = await open(t, content, { linesPerTransfer: 7000 }, name)
    const got: string[] = []
    for (let some = await pull(); some.length > 0; some = await pull()) got.push(...[some].flat())
    t.same(got, lines)
    await inlet.onShutdown()
    t.equal(await new FileInlet(file, { mode: 'file' }).pull(update), lines.join('\n'))
  }
  const { file, inlet, pull } = await open(t, content, { linesPerTransfer: 20_000, positionFile })
  t.same(await pull(), lines.slice(0, 20_000))
  await inlet.onShutdown()
  const again = new FileInlet(file, { linesPerTransfer: 20_000, positionFile })
  await again.onStart()
  const failed = new Update(['file'], 1)
  t.same(await again.pull(failed), lines.slice(20_000), 'the position counts bytes of the content')
  again.onTransferEnd(failed, false)
  t.same(await pullOf(again), lines.slice(20_000), 'and can be gone back to')
  appendFileSync(file, gzipSync('\nmore'))
  t.same(await pullOf(again), ['more'], 'a member that is added is read')
  await again.onShutdown()
  t.match(logs.entries(), [{ msg: /20000|10000 lines were not delivered/ }])
})

t.test('a gzip file that is cut off, or has something behind it, gives what can be unpacked, then fails', async (t) => {
  const text = Array.from({ length: 5000 }, (_, number) => `line ${number} ${Math.sin(number)}\n`).join('')
  const whole = gzipSync(text)
  const { file, inlet, pull } = await open(t, whole.subarray(0, whole.length - 20), { linesPerTransfer: 99_999 })
  const lines = await pull()
  t.ok(lines.length > 1000 && text.startsWith((lines as string[]).join('\n')))
  const message = `FileInlet: cannot read ${file}: it is packed with gzip: unexpected end of file`
  await t.rejects(pull(), { code: 'DATABAY_FILE', message })
  writeFileSync(file, whole)
  t.equal((await pull()).length, 5000 - lines.length, 'it goes on when the rest is there')
  await inlet.onShutdown()
})

t.test('a file takes the place of a gzip file, and is none', async (t) => {
  captureLogs(t)
  const { file, inlet, pull } = await open(t, gzipSync('one\ntwo\n'))
  t.same(await pull(), ['one', 'two'])
  writeFileSync(file, 'three\n')
  t.same(await pull(), ['three'])
  writeFileSync(`${file}.new`, gzipSync('four'))
  renameSync(`${file}.new`, file)
  t.same(await pull(), ['four'])
  await inlet.onShutdown()
})

t.test('files that are packed otherwise are refused', async (t) => {
  const beginnings: [string, Buffer][] = [
    ['zip', Buffer.from('PK\x03\x04\n\n')],
    ['zstd', Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 10)],
    ['xz', Buffer.from('\xfd7zXZ\0\n', 'latin1')],
    ['bzip2', Buffer.from('BZh91AY&SY\n')],
  ]
  for (const [name, content] of beginnings) {
    const { file, inlet, pull } = await open(t, content)
    const message = `FileInlet: cannot read ${file}: it is packed with ${name}: unpack it first`
    for (const time of ['first', 'second'])
      await t.rejects(pull(), { code: 'DATABAY_FILE', message }, `the ${time} time`)
    await inlet.onShutdown()
    await t.rejects(new FileInlet(file, { mode: 'file' }).pull(update), { message })
  }
  const { inlet, pull } = await open(t, 'BZh is how it begins\n')
  t.same(await pull(), ['BZh is how it begins'])
  await inlet.onShutdown()
})

t.test('a pattern is refused, unless a file has that very name', async (t) => {
  const folder = t.testdir({ 'a.log': 'one\n', 'b[1].log': 'two\n' })
  for (const pattern of ['*.log', '?.log', '[ab].log', '{a,b}.log']) {
    for (const missing of ['await', 'error'] as const) {
      const message = `cannot open ${folder}/${pattern}: there is no file of this very name, and patterns`
      await t.rejects(new FileInlet(`${folder}/${pattern}`, { missing }).onStart(), { code: 'DATABAY_FILE', message })
      await t.rejects(new CsvInlet(`${folder}/${pattern}`, { missing }).onStart(), { code: 'DATABAY_FILE', message })
    }
    await t.rejects(new FileInlet(`${folder}/${pattern}`, { missing: 'await', mode: 'file' }).pull(update), /patterns/)
  }
  const inlet = new FileInlet(`${folder}/b[1].log`)
  await inlet.onStart()
  t.same(await inlet.pull(update), ['two'])
  await inlet.onShutdown()
})
