import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { constants, open } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Cancellation } from '../../../src/core/cancellation.js'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { CsvOutlet } from '../../../src/connectors/csv/csv-outlet.js'
import { FileOutlet, type FileOutletOptions } from '../../../src/connectors/files/file-outlet.js'
import { Record, type Metadata } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { tinyDisk } from '../../helpers/tiny-disk.js'

const { FILEPATH, FILE_MODE, FILE_ENCODING } = FileOutlet
const update = new Update(['file'], 0)
const record = (payload: unknown, metadata?: Metadata) => new Record(payload, metadata)

function setUp(t: Test, content: Parameters<Test['testdir']>[0] = {}, options?: FileOutletOptions) {
  const folder = realpathSync(t.testdir(content))
  const outlet = new FileOutlet(`${folder}/out/default.txt`, options)
  const read = (file: string) => readFileSync(`${folder}/${file}`, 'utf8')
  return { folder, outlet, read }
}

t.test('each record is a line: strings as they are, anything else as JSON', async (t) => {
  const { outlet, read } = setUp(t)
  await outlet.push([record('text "é"'), record({ a: [1, null] }), record(7), record(null)], update)
  await outlet.push([record('more')], update)
  t.equal(read('out/default.txt'), 'text "é"\n{"a":[1,null]}\n7\nnull\nmore\n')
})

t.test('a payload that cannot be JSON is an error that names the part, and nothing is written', async (t) => {
  const { folder, outlet } = setUp(t)
  const cycle: { me?: unknown; password: string } = { password: 'secret' }
  cycle.me = cycle
  const cases: [unknown, string][] = [
    [undefined, 'payload is undefined'],
    [() => 'secret', 'payload is a function'],
    [{ deep: [{ in: new Map() }] }, 'payload.deep[0].in is a Map'],
    [cycle, 'payload.me is an object that it is part of'],
  ]
  for (const [payload, what] of cases) {
    const pushed = outlet.push([record('fine'), record(payload)], update)
    const message = `FileOutlet: a payload cannot be JSON: ${what}: make it plain data, or use the option serialize`
    await t.rejects(pushed, { code: 'DATABAY_INVALID_PAYLOAD', message })
  }
  t.same(readdirSync(folder), [])
})

t.test('a bigint is its digits, and serialize says what is written for other values', async (t) => {
  const { outlet, read } = setUp(t, {}, { serialize: (value) => (value instanceof Set ? [...value] : undefined) })
  await outlet.push([record({ id: 9007199254740993n }), record({ tags: new Set(['a']) }), record('text')], update)
  t.equal(read('out/default.txt'), '{"id":9007199254740993}\n{"tags":["a"]}\ntext\n')
  t.throws(() => new FileOutlet('x', { serialize: 'json' as never }), { message: /^FileOutlet.serialize: / })
})

t.test('a last line that has no end, as a killed process leaves it, is ended first', async (t) => {
  const { folder, outlet, read } = setUp(t, { out: { 'default.txt': '{"half":"li' } })
  await outlet.push([record({ a: 1 })], update)
  await outlet.push([record({ a: 2 })], update)
  t.equal(read('out/default.txt'), '{"half":"li\n{"a":1}\n{"a":2}\n')
  const wide = (text: string) => Buffer.from(text, 'utf16le')
  writeFileSync(`${folder}/out/wide`, wide('half'))
  for (const text of ['é', 'à'])
    await outlet.push([record(text, { [FILEPATH]: 'wide', [FILE_ENCODING]: 'utf-16le' })], update)
  t.same(readFileSync(`${folder}/out/wide`), wide('half\né\nà\n'))
})

t.test('with the format json every line is JSON', async (t) => {
  const { outlet, read } = setUp(t, {}, { format: 'json' })
  await outlet.push([record('two\nlines'), record({ a: 1 })], update)
  t.equal(read('out/default.txt'), '"two\\nlines"\n{"a":1}\n')
})

t.test('mode w replaces what is in the file, once in each transfer', async (t) => {
  const { outlet, read } = setUp(t, { out: { 'default.txt': 'old\n' } }, { fileMode: 'w' })
  await outlet.push([record(1), record(2)], update)
  t.equal(read('out/default.txt'), '1\n2\n')
  await outlet.push([record(3)], update)
  t.equal(read('out/default.txt'), '1\n2\n3\n')
  await outlet.push([record(3)], new Update(['file'], 1))
  t.equal(read('out/default.txt'), '3\n')
  await outlet.push([record(4, { [FILE_MODE]: 'a' })], new Update(['file'], 2))
  t.equal(read('out/default.txt'), '3\n4\n')
  await outlet.push([record(5, { [FILE_MODE]: 'a' }), record(6)], new Update(['file'], 3))
  t.equal(read('out/default.txt'), '5\n6\n')
})

t.test('records choose their file in the metadata, below the base folder', async (t) => {
  const { folder, outlet, read } = setUp(t)
  const to = (file: string) => ({ [FILEPATH]: file })
  await outlet.push(
    [
      record(1, to('cat.txt')),
      record(2),
      record(3, to('new/dog.txt')),
      record(4, to(`${folder}/out/cat.txt`)),
      record(5, to('./new/../cat.txt')),
    ],
    update,
  )
  t.equal(read('out/cat.txt'), '1\n4\n5\n')
  t.equal(read('out/default.txt'), '2\n')
  t.equal(read('out/new/dog.txt'), '3\n')
})

t.test('a file outside the base folder is refused, and nothing is written', async (t) => {
  const { folder, outlet } = setUp(t, {
    outside: {},
    out: {
      link: t.fixture('symlink', '../outside'),
      dangling: t.fixture('symlink', '../outside/file'),
    },
  })
  const outside = ['../x', 'a/../../x', `${folder}/x`, '/x', '.', 'link/x', 'dangling', `${folder}/out/link/x`]
  for (const file of outside) {
    await t.rejects(
      outlet.push([record('fine'), record('x', { [FILEPATH]: file })], update),
      {
        code: 'DATABAY_INVALID_OPTION',
        option: 'FileOutlet.FILEPATH',
        message: `FileOutlet.FILEPATH: expected a path within ${folder}/out, got '${file.slice(0, 80)}`,
      },
      file,
    )
  }
  t.same(readdirSync(folder).sort(), ['out', 'outside'])
  t.same(readdirSync(`${folder}/outside`), [])
  t.notOk(existsSync(`${folder}/out/default.txt`))
})

t.test('metadata that is no path, mode or encoding is refused', async (t) => {
  const { folder, outlet } = setUp(t)
  for (const metadata of [
    { [FILEPATH]: '' },
    { [FILEPATH]: 7 },
    { [FILEPATH]: 'a\0b' },
    { [FILE_MODE]: 'r' },
    { [FILE_ENCODING]: 'hex' },
  ]) {
    const [option] = Object.keys(metadata)
    await t.rejects(outlet.push([record('x', metadata)], update), { code: 'DATABAY_INVALID_OPTION', option })
  }
  t.same(readdirSync(folder), [])
})

t.test('a base folder of its own, and any path when that is allowed', async (t) => {
  const { folder, read } = setUp(t, { base: {} })
  const one = new FileOutlet(`${folder}/default.txt`, { baseFolder: `${folder}/base` })
  await one.push([record(1), record(2, { [FILEPATH]: 'x' })], update)
  t.equal(read('default.txt'), '1\n')
  t.equal(read('base/x'), '2\n')
  await t.rejects(one.push([record(1, { [FILEPATH]: '../default.txt' })], update), {
    code: 'DATABAY_INVALID_OPTION',
    option: FILEPATH,
  })

  const any = new FileOutlet(`${folder}/base/default.txt`, { allowAnyPath: true })
  await any.push([record(3, { [FILEPATH]: '../up.txt' }), record(4, { [FILEPATH]: `${folder}/down/x` })], update)
  t.equal(read('up.txt'), '3\n')
  t.equal(read('down/x'), '4\n')
})

t.test('the file of the outlet itself may be a link to anywhere', async (t) => {
  const { outlet, read } = setUp(t, { out: { 'default.txt': t.fixture('symlink', '../real.txt') } })
  await outlet.push([record(1)], update)
  t.equal(read('real.txt'), '1\n')
})

t.test('encodings', async (t) => {
  const { folder, outlet } = setUp(t, {}, { encoding: 'latin1' })
  await outlet.push([record('é'), record('é', { [FILEPATH]: 'utf16', [FILE_ENCODING]: 'utf-16le' })], update)
  t.same(readFileSync(`${folder}/out/default.txt`), Buffer.from('é\n', 'latin1'))
  t.same(readFileSync(`${folder}/out/utf16`), Buffer.from('é\n', 'utf16le'))
})

t.test('half a surrogate pair, which is no character, is refused, or an escape in JSON', async (t) => {
  const { folder, outlet, read } = setUp(t)
  const message = 'FileOutlet: a payload has the character U+D83D, which utf-8 does not have'
  await t.rejects(outlet.push([record('cut \ud83d'), record('fine')], update), { message })
  await outlet.push([record('\ud83d\ude00'), record(['\ud83d'])], update)
  t.equal(read('out/default.txt'), '\ud83d\ude00\n["\\ud83d"]\n')
  await new FileOutlet(`${folder}/wide`, { encoding: 'utf-16le' }).push([record('\ud83d')], update)
  t.same(readFileSync(`${folder}/wide`), Buffer.from('\ud83d\n', 'utf16le'), 'UTF-16 keeps it')
})

t.test('a batch can be larger than a string can be', async (t) => {
  if (!existsSync('/dev/null')) {
    t.pass('needs /dev/null', { skip: true })
    return
  }
  const large = record('x'.repeat(1 << 20))
  await t.resolves(new FileOutlet('/dev/null').push(Array<Record>(513).fill(large), update))
})

t.test('the parts in which a large batch is made are whole lines, in their order', async (t) => {
  const { outlet, read } = setUp(t)
  const lines = Array.from({ length: 30 }, (_, index) => String.fromCharCode(97 + index).repeat(1 << 19))
  await outlet.push(
    lines.map((line) => record(line)),
    update,
  )
  t.ok(read('out/default.txt') === `${lines.join('\n')}\n`)
})

t.test('lines of outlets that write to one file at once stay whole', async (t) => {
  const { folder, read } = setUp(t, { link: t.fixture('symlink', 'out'), out: {} })
  const outlets = ['out/x', 'link/x', 'out/../out/x'].map((file) => new FileOutlet(`${folder}/${file}`))
  const lines = outlets.map((_, index) => String(index).repeat(1000))
  const batch = (line: string) => Array.from({ length: 1000 }, () => record(line))
  await Promise.all(outlets.flatMap((outlet, index) => [1, 2].map(() => outlet.push(batch(lines[index]!), update))))
  const written = read('out/x').split('\n')
  t.equal(written.length, 6001)
  t.ok(written.slice(0, -1).every((line) => lines.includes(line)))
  // no batch is in the middle of another
  t.equal(written.filter((line, index) => line !== written[index - 1]).length <= 7, true)
})

t.test('a file that cannot be written is an error with its path', async (t) => {
  const { folder, outlet } = setUp(t, { out: { folder: {}, 'default.txt': '' } })
  const to = (file: string) => record(1, { [FILEPATH]: file })
  await t.rejects(outlet.push([to('folder')], update), {
    code: 'DATABAY_FILE',
    path: `${folder}/out/folder`,
    message: `FileOutlet: cannot write to ${folder}/out/folder: EISDIR`,
  })
  await t.rejects(outlet.push([to('default.txt/below')], update), { code: 'DATABAY_FILE', message: /ENOTDIR/ })
})

t.test('when some of several files cannot be written, the others are, and the error tells them apart', async (t) => {
  const { outlet, read } = setUp(t, { out: { folder: {}, other: {} } })
  const to = (file: string) => record(1, { [FILEPATH]: file })
  await t.rejects(outlet.push([to('folder'), record(2), to('other'), record(3), to('folder')], update), {
    code: 'DATABAY_PARTIAL_PUSH',
    message: /^FileOutlet: 3 of 5 records were not taken: FileOutlet: cannot write to .*folder: EISDIR/,
    taken: 2,
    rejected: [
      { index: 0, error: { message: /folder/ } },
      { index: 2, error: { message: /other/ } },
      { index: 4, error: { message: /folder/ } },
    ],
  })
  t.equal(read('out/default.txt'), '2\n3\n')
})

t.test('what a full disk did not take is written when there is room, and only once', async (t) => {
  const disk = tinyDisk(t, 64)
  if (disk === undefined) {
    t.pass('needs the right to mount', { skip: true })
    return
  }
  const log = captureLogs(t)
  const filler = `${disk}/filler`
  writeFileSync(filler, Buffer.alloc(50_000))
  const outlet = new FileOutlet(`${disk}/out.txt`, {
    retry: { retries: 1000, minDelay: { milliseconds: 5 }, maxDelay: 0.02 },
  })
  const batch = (from: number) =>
    Array.from({ length: 100 }, (_, index) => record(`${from + index} ${'x'.repeat(100)}`))
  await outlet.push(batch(0), update)
  const before = readFileSync(`${disk}/out.txt`, 'utf8')

  const pushed = outlet.push(batch(100), update)
  const ended = pushed.then(
    () => 'written',
    () => 'failed',
  )
  while (log.messages().length < 3) {
    t.equal(await Promise.race([ended, setTimeout(1, 'still trying')]), 'still trying')
  }
  t.match(log.messages()[0], /^file\.0 FileOutlet: cannot write to .*: ENOSPC.*: trying again$/)
  t.equal(readFileSync(`${disk}/out.txt`, 'utf8'), before, 'no half line, nothing of the batch')
  rmSync(filler)
  await pushed

  const lines = readFileSync(`${disk}/out.txt`, 'utf8').trimEnd().split('\n')
  t.same(
    lines,
    [...batch(0), ...batch(100)].map(({ payload }) => payload),
    'nothing lost, nothing twice, in order',
  )
})

t.test('without room for as long as it is tried, a push fails, and the file is as it was', async (t) => {
  const disk = tinyDisk(t, 64)
  if (disk === undefined) {
    t.pass('needs the right to mount', { skip: true })
    return
  }
  captureLogs(t)
  const outlet = new FileOutlet(`${disk}/out.txt`, { retry: { retries: 2, minDelay: { milliseconds: 1 } } })
  await outlet.push([record('good')], update)
  await t.rejects(outlet.push([record('x'.repeat(100_000))], update), {
    code: 'DATABAY_FILE',
    cause: { code: 'ENOSPC' },
  })
  t.equal(readFileSync(`${disk}/out.txt`, 'utf8'), 'good\n')
  const replacing = new FileOutlet(`${disk}/out.txt`, { fileMode: 'w', retry: { retries: 0 } })
  await t.rejects(replacing.push([record('x'.repeat(100_000))], update), { cause: { code: 'ENOSPC' } })
  t.same(readdirSync(disk), ['out.txt'])
  t.equal(readFileSync(`${disk}/out.txt`, 'utf8'), 'good\n', 'nor is it replaced by half a file')
})

t.test('a named pipe gets every line once, however slow its reader; without one it is an error', async (t) => {
  const { folder } = setUp(t)
  const pipe = `${folder}/pipe`
  if (spawnSync('mkfifo', [pipe]).status !== 0) {
    t.pass('needs mkfifo', { skip: true })
    return
  }
  const cancellation = new Cancellation()
  const stoppable = new Update(['file'], 1, cancellation)
  const lines = Array.from({ length: 2000 }, (_, index) => `${index} ${'x'.repeat(200)}`)
  for (const outlet of [new FileOutlet(pipe), new CsvOutlet(pipe, { columns: ['line'] })]) {
    const isCsv = outlet instanceof CsvOutlet
    const batch = lines.map((line) => record(isCsv ? { line } : line))
    await t.rejects(outlet.push(batch, update), { code: 'DATABAY_FILE', cause: { code: 'ENXIO' } })
    const reader = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const pushed = outlet.push(batch, update).then(() => true)
    let text = ''
    while (!(await Promise.race([pushed, setTimeout(1, false)])) || !text.endsWith(`${lines.at(-1) ?? ''}\n`)) {
      const bytes = Buffer.alloc(10_000)
      const empty = () => ({ bytesRead: 0 })
      text += bytes.toString('utf8', 0, (await reader.read(bytes, 0, bytes.length, null).catch(empty)).bytesRead)
    }
    t.same(text.split('\n').slice(isCsv ? 1 : 0, -1), lines)
    await reader.close()
  }
  const idle = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  const stuck = new FileOutlet(pipe).push(
    lines.map((line) => record(line)),
    stoppable,
  )
  t.equal(await Promise.race([stuck, setTimeout(20, 'waits for its reader')]), 'waits for its reader')
  cancellation.cancel(new TransferCancelledError('stop'))
  await t.rejects(stuck, TransferCancelledError)
  await idle.close()
})

t.test('a transfer that is cancelled writes nothing', async (t) => {
  const { folder, outlet } = setUp(t)
  const cancellation = new Cancellation()
  cancellation.cancel(new TransferCancelledError('stop'))
  await t.rejects(outlet.push([record(1)], new Update([], 0, cancellation)), TransferCancelledError)
  t.same(readdirSync(folder), [])
})

t.test('an outlet names itself with its path, and has no state', async (t) => {
  const outlet = new FileOutlet(path.join('a', 'b.txt'))
  t.equal(String(outlet), 'FileOutlet(a/b.txt)')
  t.equal(outlet.saveState(), undefined)
})

t.test('options are checked', async (t) => {
  const cases: [unknown, object, string][] = [
    ['', {}, 'FileOutlet.filepath'],
    [undefined, {}, 'FileOutlet.filepath'],
    ['a', { fileMode: 'x' }, 'FileOutlet.fileMode'],
    ['a', { encoding: 'base64' }, 'FileOutlet.encoding'],
    ['a', { baseFolder: '' }, 'FileOutlet.baseFolder'],
    ['a', { allowAnyPath: 'yes' }, 'FileOutlet.allowAnyPath'],
    ['a', { format: 'csv' }, 'FileOutlet.format'],
    ['a', { fsync: 'yes' }, 'FileOutlet.fsync'],
    ['a', { retry: 3 }, 'FileOutlet.retry'],
    ['a', { mode: 'w' }, 'FileOutlet.mode'],
  ]
  for (const [file, options, option] of cases) {
    t.throws(() => new FileOutlet(file as string, options), { code: 'DATABAY_INVALID_OPTION', option })
  }
})
