/** Files that outlets hold open between pushes: what others do to them meanwhile, and when they are closed. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  closeSync,
  openSync,
} from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { spawnSync } from 'node:child_process'
import { platform } from 'node:process'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { CsvOutlet } from '../../../src/connectors/csv/csv-outlet.js'
import { FileOutlet, type FileOutletOptions } from '../../../src/connectors/files/file-outlet.js'
import { Cancellation } from '../../../src/core/cancellation.js'
import type { Outlet } from '../../../src/core/outlet.js'
import { Record, type Metadata } from '../../../src/core/record.js'
import { captureLogs } from '../../helpers/logs.js'
import { tinyDisk } from '../../helpers/tiny-disk.js'
import { Update } from '../../../src/core/update.js'

/** Starts an outlet, which is shut down after the test, and gives what pushes lines to it. */
async function started(t: Test, outlet: Outlet) {
  t.teardown(() => outlet.onShutdown())
  await outlet.onStart()
  return async (payloads: unknown[], metadata?: Metadata) =>
    outlet.push(
      payloads.map((payload) => new Record(payload, metadata)),
      new Update(['held'], 0),
    )
}

/** Paths in a folder that this process has open. */
function openIn(folder: string): string[] {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return links.filter((link) => link.startsWith(folder)).sort()
}

const read = (file: string) => readFileSync(file, 'utf8')

t.test('what others do to a file between two pushes', async (t) => {
  const folder = t.testdir({ other: {} })
  const file = `${folder}/log`
  const push = await started(t, new FileOutlet(file))
  const warm = async () => {
    rmSync(file, { force: true, recursive: true })
    await push(['one'])
    await push(['two'])
    await push(['three'])
    t.equal(read(file), 'one\ntwo\nthree\n')
  }
  const cases: { [what: string]: [act: () => void, content: string] } = {
    nothing: [() => undefined, 'one\ntwo\nthree\nfour\n'],
    'they add a line': [() => appendFileSync(file, 'theirs\n'), 'one\ntwo\nthree\ntheirs\nfour\n'],
    'they add half a line': [() => appendFileSync(file, 'half'), 'one\ntwo\nthree\nhalf\nfour\n'],
    'they truncate it': [() => truncateSync(file), 'four\n'],
    'they cut it within a line': [() => truncateSync(file, 5), 'one\nt\nfour\n'],
    'they write it anew, as long as it was, without a line end': [
      () => writeFileSync(file, '0123456789abcd'),
      '0123456789abcd\nfour\n',
    ],
    'they rotate it': [() => renameSync(file, `${file}.1`), 'four\n'],
    'they rotate it and begin another': [
      () => {
        renameSync(file, `${file}.1`)
        writeFileSync(file, 'new')
      },
      'new\nfour\n',
    ],
    'they replace it': [
      () => {
        writeFileSync(`${folder}/made`, 'replaced\n')
        renameSync(`${folder}/made`, file)
      },
      'replaced\nfour\n',
    ],
    'they delete it': [() => unlinkSync(file), 'four\n'],
    'they put a link in its place': [
      () => {
        unlinkSync(file)
        symlinkSync('other/target', file)
      },
      'four\n',
    ],
  }
  for (const [what, [act, content]] of Object.entries(cases)) {
    await warm()
    act()
    await push(['four'])
    t.equal(read(file), content, what)
  }
  t.equal(read(`${folder}/log.1`), 'one\ntwo\nthree\n', 'what was rotated gets nothing more')
  await warm()
  rmSync(folder, { recursive: true })
  await push(['four'])
  t.equal(read(file), 'four\n', 'a folder that was deleted is made again')
})

t.test('a last line without a line end in UTF-16 is ended', async (t) => {
  const file = `${t.testdir()}/log`
  const push = await started(t, new FileOutlet(file, { encoding: 'utf-16le' }))
  for (const line of ['one', 'two', 'three']) await push([line])
  appendFileSync(file, 'half', 'utf16le')
  await push(['four'])
  t.equal(readFileSync(file, 'utf16le'), 'one\ntwo\nthree\nhalf\nfour\n')
})

t.test('a path within the folder that leads out of it later is refused', async (t) => {
  const folder = t.testdir({ base: { sub: {}, here: {} }, out: {} })
  const push = await started(t, new FileOutlet(`${folder}/base/own`))
  const to = (file: string) => ({ [FileOutlet.FILEPATH]: file })
  for (const line of ['one', 'two', 'three']) await push([line], to('sub/log'))
  renameSync(`${folder}/base/sub`, `${folder}/out/sub`)
  symlinkSync('../out/sub', `${folder}/base/sub`)
  await t.rejects(push(['four'], to('sub/log')), { code: 'DATABAY_INVALID_OPTION' })
  t.equal(read(`${folder}/out/sub/log`), 'one\ntwo\nthree\n', 'though it is the same file as before')

  symlinkSync('here', `${folder}/base/link`)
  for (const line of ['one', 'two', 'three']) await push([line], to('link/log'))
  unlinkSync(`${folder}/base/link`)
  mkdirSync(`${folder}/base/there`)
  symlinkSync('there', `${folder}/base/link`)
  await push(['four'], to('link/log'))
  t.equal(read(`${folder}/base/here/log`), 'one\ntwo\nthree\n')
  t.equal(read(`${folder}/base/there/log`), 'four\n', 'a link that leads elsewhere is followed there')
})

t.test('a file that nobody may write to any more is not written to', async (t) => {
  const file = `${t.testdir()}/log`
  const push = await started(t, new FileOutlet(file, { retry: { retries: 0 } }))
  for (const line of ['one', 'two', 'three']) await push([line])
  chmodSync(file, 0o400)
  const owner = process.geteuid?.() === 0
  await (owner ? push(['four']) : t.rejects(push(['four']), { code: 'DATABAY_FILE' }))
  t.equal(read(file), `one\ntwo\nthree\n${owner ? 'four\n' : ''}`)
})

t.test('a batch that is replaced, and one that is added to it', async (t) => {
  const file = `${t.testdir()}/log`
  const push = await started(t, new FileOutlet(file))
  for (const line of ['one', 'two', 'three']) await push([line])
  await push(['new'], { [FileOutlet.FILE_MODE]: 'w' })
  await push(['more'])
  t.equal(read(file), 'new\nmore\n')
  await t.rejects(push(['x'], { [FileOutlet.FILE_MODE]: 'x' }), { code: 'DATABAY_INVALID_OPTION' })
  t.equal(read(file), 'new\nmore\n')
})

t.test('what is wrong with a path or a mode is told before what is wrong with a payload', async (t) => {
  const file = `${t.testdir()}/log`
  const push = await started(t, new FileOutlet(file))
  const wrong = [{ n: 1n, f: () => undefined }]
  for (let n = 0; n < 3; n++) {
    await t.rejects(push(wrong, { [FileOutlet.FILEPATH]: '../out' }), { code: 'DATABAY_INVALID_OPTION' })
    await t.rejects(push(wrong, { [FileOutlet.FILE_MODE]: 'x' }), { code: 'DATABAY_INVALID_OPTION' })
    await t.rejects(push(wrong), { code: 'DATABAY_INVALID_PAYLOAD' })
    await push(['line'])
  }
  t.equal(read(file), 'line\nline\nline\n')
})

t.test('an outlet that extends it with a push of its own gets copies', (t) => {
  class Own extends FileOutlet {
    override push(records: Record[], update: Update): Promise<void> {
      return super.push(records, update)
    }
  }
  t.equal(new FileOutlet('log').readsOnly, true)
  t.equal(new Own('log').readsOnly, false)
  t.end()
})

t.test('a file that has another header than before', async (t) => {
  const file = `${t.testdir()}/rows.csv`
  const push = await started(t, new CsvOutlet(file))
  for (const a of [1, 2, 3]) await push([{ a, b: 0 }])
  t.equal(read(file), 'a,b\n1,0\n2,0\n3,0\n')
  writeFileSync(file, 'b,a\n1,0\n2,0\n3,0\n')
  await push([{ a: 4, b: 0 }])
  t.equal(read(file), 'b,a\n1,0\n2,0\n3,0\n0,4\n')
  truncateSync(file)
  await push([{ c: 5 }])
  t.equal(read(file), 'c\n5\n')
})

t.test('a header to which others add a column', async (t) => {
  const file = `${t.testdir()}/rows.csv`
  const push = await started(t, new CsvOutlet(file, { missingColumns: 'empty' }))
  await push([{ a: 1, b: 0 }])
  // the header has no end, and becomes a longer one
  writeFileSync(file, 'a,b')
  await t.rejects(push([{ a: 2, d: 0 }]), { code: 'DATABAY_INVALID_PAYLOAD' })
  appendFileSync(file, ',d\n')
  await push([{ a: 3, d: 4 }])
  t.equal(read(file), 'a,b,d\n3,,4\n')
  writeFileSync(file, 'a,d\n')
  await push([{ a: 5, d: 6 }])
  await push([{ a: 7, d: 8 }])
  t.equal(read(file), 'a,d\n5,6\n7,8\n')
})

t.test('a file that is rotated, and replaced, between two rounds of a transfer', async (t) => {
  const file = `${t.testdir()}/log`
  const outlet = new FileOutlet(file)
  t.teardown(() => outlet.onShutdown())
  outlet.onStart()
  const update = new Update(['held'], 0)
  update.noteRounds()
  const push = (line: string, metadata?: Metadata) => outlet.push([new Record(line, metadata)], update)
  await push('one')
  await push('two')
  renameSync(file, `${file}.1`)
  await push('three')
  await push('four')
  t.equal(read(`${file}.1`), 'one\ntwo\n')
  t.equal(read(file), 'three\nfour\n')
  await push('five', { [FileOutlet.FILE_MODE]: 'w' })
  await push('six')
  t.equal(read(file), 'three\nfour\n', 'until the last round')
  await outlet.onLastRound(update, true)
  t.equal(read(file), 'five\nsix\n')
})

t.test('how long files are open', { skip: platform !== 'linux' && 'needs /proc' }, async (t) => {
  const folder = t.testdir()
  const make = (name: string, options?: FileOutletOptions) => new FileOutlet(`${folder}/${name}`, options)
  const twice = async (push: Awaited<ReturnType<typeof started>>, metadata?: Metadata) => {
    await push(['one'], metadata)
    await push(['two'], metadata)
  }
  const one = make('one')
  await twice(await started(t, one))
  t.same(openIn(folder), [`${folder}/one`], 'between pushes')
  await one.onShutdown()
  t.same(openIn(folder), [], 'until the outlet is shut down')

  const idle = make('idle')
  await idle.push([new Record('one')], new Update(['held'], 0))
  await idle.push([new Record('two')], new Update(['held'], 0))
  t.same(openIn(folder), [], 'not of an outlet that was not started')

  const many = make('many')
  const push = await started(t, many)
  for (let n = 0; n < 100; n++) await twice(push, { [FileOutlet.FILEPATH]: `file${n}` })
  t.equal(openIn(folder).length, 64, 'of many files, some')
  t.ok(openIn(folder).includes(`${folder}/file99`), 'those that were used last')
  t.notOk(openIn(folder).includes(`${folder}/file1`))
  for (let n = 0; n < 100; n++) {
    await twice(push, { [FileOutlet.FILEPATH]: `file${n}` })
    if (read(`${folder}/file${n}`) !== 'one\ntwo\none\ntwo\n') t.fail(`file${n}`)
  }
  await many.onShutdown()
  t.same(openIn(folder), [])
  t.ok(existsSync(`${folder}/file0`))
})

t.test('pushes that fail leave no file open, and no half line', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir()
  const outlet = new FileOutlet(`${folder}/log`)
  const push = await started(t, outlet)
  for (const line of ['one', 'two']) await push([line])
  await t.rejects(push([Symbol('none')]), { code: 'DATABAY_INVALID_PAYLOAD' })
  await t.rejects(push(['\ud800']), { code: 'DATABAY_INVALID_PAYLOAD' })
  const cancellation = new Cancellation()
  cancellation.cancel(new Error('enough'))
  const stopped = new Update(['held'], 0, cancellation)
  await t.rejects(outlet.push([new Record('x')], stopped), /enough/)
  await push(['three'])
  t.equal(read(`${folder}/log`), 'one\ntwo\nthree\n')
  await outlet.onShutdown()
  if (platform === 'linux') t.same(openIn(folder), [])
})

t.test(
  'a file that is not added to for a while is closed',
  { skip: platform !== 'linux' && 'needs /proc' },
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    const folder = t.testdir()
    const push = await started(t, new FileOutlet(`${folder}/log`))
    for (const line of ['one', 'two', 'three']) await push([line])
    mock.timers.tick(5000)
    await push(['four'])
    mock.timers.tick(5000)
    t.same(openIn(folder), [`${folder}/log`], 'not as long as it is added to')
    mock.timers.tick(5000)
    while (openIn(folder).length > 0) await setImmediate()
    await push(['five'])
    t.equal(read(`${folder}/log`), 'one\ntwo\nthree\nfour\nfive\n')
  },
)

t.test('files that are held open give way when no descriptors are left', async (t) => {
  const folder = t.testdir()
  const push = await started(t, new FileOutlet(`${folder}/log`))
  const to = (name: string) => ({ [FileOutlet.FILEPATH]: name })
  for (let n = 0; n < 40; n++) for (const line of ['one', 'two']) await push([line], to(`file${n % 20}`))
  const limit = (soft: string) => spawnSync('prlimit', [`--pid=${process.pid}`, `--nofile=${soft}:`]).status
  const before = /^Max open files\s+(\d+)/m.exec(platform === 'linux' ? read('/proc/self/limits') : '')?.[1] ?? ''
  const highest = platform === 'linux' ? Math.max(...readdirSync('/proc/self/fd').map(Number)) : 0
  if (highest === 0 || limit(String(highest)) !== 0) {
    t.pass('needs prlimit', { skip: true })
    return
  }
  try {
    // all that is free below the limit
    const taken: number[] = []
    try {
      for (;;) taken.push(openSync('/dev/null', 'r'))
    } catch {
      // none is left
    }
    for (const line of ['one', 'two']) await push([line], to('new'))
    taken.forEach((fd) => closeSync(fd))
  } finally {
    limit(before)
  }
  t.equal(read(`${folder}/new`), 'one\ntwo\n')
})

t.test('what a full disk did not take is cut off a file that is held open', async (t) => {
  const disk = tinyDisk(t, 64)
  if (disk === undefined) {
    t.pass('needs the right to mount', { skip: true })
    return
  }
  const file = `${disk}/log`
  const outlet = new FileOutlet(file, { retry: { retries: 0 } })
  outlet.onStart()
  const push = (line: string) => outlet.push([new Record(line)], new Update(['held'], 0))
  for (const line of ['one', 'two', 'three']) await push(line)
  await t.rejects(push('x'.repeat(100_000)), { message: /ENOSPC/ })
  t.equal(read(file), 'one\ntwo\nthree\n')
  for (const line of ['four', 'five', 'six']) await push(line)
  t.equal(read(file), 'one\ntwo\nthree\nfour\nfive\nsix\n')
  await outlet.onShutdown()
})
