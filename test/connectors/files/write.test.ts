import { spawnSync } from 'node:child_process'
import { Buffer } from 'node:buffer'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { write } from '../../../src/connectors/files/write.js'

const adding = { truncate: false, fsync: false }
const replacing = { truncate: true, fsync: false }

t.test('bytes are appended, or replace what is there; folders are made', async (t) => {
  const file = `${t.testdir()}/new/folder/file`
  await write(file, Buffer.from('one\n'), adding)
  await write(file, Buffer.from('two\n'), adding)
  t.equal(readFileSync(file, 'utf8'), 'one\ntwo\n')
  await write(file, Buffer.from('three\n'), replacing)
  t.equal(readFileSync(file, 'utf8'), 'three\n')
})

t.test('a link that was put in the place of a real path is not followed', async (t) => {
  const folder = t.testdir({ link: t.fixture('symlink', 'elsewhere') })
  await t.rejects(write(`${folder}/link`, Buffer.from('x'), adding), { code: 'ELOOP' })
  t.notOk(existsSync(`${folder}/elsewhere`))
})

t.test('after a failed write no half line is left', async (t) => {
  // the kernel takes the bytes up to a size and refuses the rest, as on a full disk
  const limit = (size: string) => spawnSync('prlimit', [`--pid=${process.pid}`, `--fsize=${size}:`]).status
  if (limit('unlimited') !== 0) {
    t.pass('needs prlimit', { skip: true })
    return
  }
  const ignore = () => undefined
  process.on('SIGXFSZ', ignore)
  const file = `${t.testdir({ text: 'good line\n' })}/text`
  try {
    limit('100')
    await t.rejects(write(file, Buffer.from(`${'x'.repeat(200)}\n`), adding), { code: 'EFBIG' })
    t.equal(readFileSync(file, 'utf8'), 'good line\n')
    await write(file, Buffer.from('another\n'), adding)
  } finally {
    limit('unlimited')
    process.off('SIGXFSZ', ignore)
  }
  t.equal(readFileSync(file, 'utf8'), 'good line\nanother\n')
})

t.test('an error tells of a failed write that cannot be cut off again', async (t) => {
  const file = `${t.testdir({ text: 'good line\n' })}/text`
  const appendOnly = (sign: '+' | '-') => spawnSync('chattr', [`${sign}a`, file]).status
  const limit = (size: string) => spawnSync('prlimit', [`--pid=${process.pid}`, `--fsize=${size}:`]).status
  if (limit('unlimited') !== 0 || appendOnly('+') !== 0) {
    t.pass('needs prlimit, and a file system with files that can only grow', { skip: true })
    return
  }
  const ignore = () => undefined
  process.on('SIGXFSZ', ignore)
  try {
    limit('100')
    await t.rejects(write(file, Buffer.from(`${'x'.repeat(200)}\n`), adding), {
      message: /^EFBIG: .*, and what was written cannot be cut off again: EPERM: /,
      cause: { code: 'EFBIG' },
    })
  } finally {
    limit('unlimited')
    process.off('SIGXFSZ', ignore)
    appendOnly('-')
  }
})

t.test('what is no file is written as it is', async (t) => {
  if (!existsSync('/dev/full')) {
    t.pass('needs /dev/full', { skip: true })
    return
  }
  for (const fsync of [false, true]) {
    await write('/dev/null', Buffer.from('x'), { truncate: true, fsync })
    await write('/dev/null', Buffer.from('x'), { truncate: false, fsync })
  }
  // more than one write can take; it is never touched, so it takes no memory
  await write('/dev/null', Buffer.alloc(2 ** 31), adding)
  await t.rejects(write('/dev/full', Buffer.from('x'), adding), { code: 'ENOSPC' })
})

t.test('what is written can be waited for to be on the disk', async (t) => {
  const file = `${t.testdir()}/new/folder/file`
  await write(file, Buffer.from('one\n'), { truncate: false, fsync: true })
  await write(file, Buffer.from('two\n'), { truncate: false, fsync: true })
  t.equal(readFileSync(file, 'utf8'), 'one\ntwo\n')
  await write(file, Buffer.from('three\n'), { truncate: true, fsync: true })
  t.equal(readFileSync(file, 'utf8'), 'three\n')
})

t.test('what cannot be seen to be on the disk is taken back, as it will be written again', async (t) => {
  if (process.seteuid === undefined || process.geteuid?.() !== 0) {
    t.pass('needs to be root, to act as another user', { skip: true })
    return
  }
  // not in the test's own folder, which other users cannot read
  const base = mkdtempSync(`${tmpdir()}/databay-`)
  t.teardown(() => {
    rmSync(base, { recursive: true })
  })
  const [folder, nobody] = [`${base}/folder`, 65_534]
  mkdirSync(folder)
  chownSync(folder, nobody, nobody)
  chmodSync(base, 0o711)
  chmodSync(folder, 0o300) // files can be created in it, but it cannot be opened
  process.seteuid(nobody)
  try {
    await t.rejects(write(`${folder}/file`, Buffer.from('one\n'), { truncate: false, fsync: true }), { code: 'EACCES' })
  } finally {
    process.seteuid(0)
  }
  t.equal(readFileSync(`${folder}/file`, 'utf8'), '')
})

t.test('a file that not everybody may read can be read by no others while it is replaced', async (t) => {
  const folder = t.testdir({ file: 'old' })
  chmodSync(`${folder}/file`, 0o600)
  let written = false as boolean
  const writing = write(`${folder}/file`, Buffer.alloc(64 << 20), { truncate: true, fsync: true }).finally(() => {
    written = true
  })
  const modes = new Set<number>()
  while (!written) {
    const draft = readdirSync(folder).find((name) => name.endsWith('.new'))
    const stats = draft === undefined ? undefined : statSync(`${folder}/${draft}`, { throwIfNoEntry: false })
    if (stats !== undefined) modes.add(stats.mode & 0o777)
    await setImmediate()
  }
  await writing
  t.same([...modes], [0o600])
  t.equal(statSync(`${folder}/file`).mode & 0o777, 0o600)
})

t.test('a file that is replaced keeps its group, or is written in place', async (t) => {
  if (process.geteuid?.() !== 0) {
    t.pass('needs to be root, to give a file to another group', { skip: true })
    return
  }
  const file = `${t.testdir({ file: 'old' })}/file`
  chownSync(file, 0, 65_534)
  const { ino } = statSync(file)
  await write(file, Buffer.from('new'), replacing)
  t.equal(readFileSync(file, 'utf8'), 'new')
  t.not(statSync(file).ino, ino)
  t.equal(statSync(file).gid, 65_534)
})

t.test('a file is replaced whatever else is in its folder, and nothing of that is touched', async (t) => {
  const others = {
    '.file.new': 'mine',
    '.one.new': { inside: 'mine' },
    '.two.new': t.fixture('symlink', 'file'),
  }
  const folder = t.testdir({ file: 'old', ...others })
  const name = 'x'.repeat(255) // as long as a name can be
  for (const file of ['file', 'one', 'two', name]) await write(`${folder}/${file}`, Buffer.from(file), replacing)
  for (const file of ['file', 'one', 'two', name]) t.equal(readFileSync(`${folder}/${file}`, 'utf8'), file)
  t.equal(readFileSync(`${folder}/.file.new`, 'utf8'), 'mine')
  t.same(readdirSync(folder).sort(), [...Object.keys(others), 'file', 'one', 'two', name].sort())
})
