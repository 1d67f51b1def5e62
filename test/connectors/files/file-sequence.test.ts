import { Buffer } from 'node:buffer'
import { readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { FileSequence } from '../../../src/connectors/files/file-sequence.js'
import type { OpenedFile } from '../../../src/connectors/files/opened-file.js'
import { FileMark } from '../../../src/connectors/files/file-mark.js'

/** Content of a file from its start. Rejects when it is closed. */
async function contentOf(file: OpenedFile | undefined): Promise<string | undefined> {
  return (await file?.readAfter(FileMark.START, 100))?.toString()
}

/** Rotates: renames `log` and its earlier files, and begins a new one. */
function rotate(folder: string, content: string): void {
  for (const age of [1, 0]) {
    const name = age === 0 ? `${folder}/log` : `${folder}/log.${age}`
    try {
      renameSync(name, `${folder}/log.${age + 1}`)
    } catch {
      // there is none of this age yet
    }
  }
  writeFileSync(`${folder}/log`, content)
}

t.test('the files of a name follow each other in the order in which they were begun', async (t) => {
  const folder = t.testdir({ log: '1' })
  const files = new FileSequence(`${folder}/log`)
  t.equal(files.current, undefined)
  t.equal(files.inode, undefined)
  t.equal(await files.next(), undefined, 'nothing follows where nothing is open')
  t.equal(await contentOf(await files.open()), '1')
  t.equal(await files.isLeft(), false)
  rotate(folder, '2')
  rotate(folder, '3')
  t.equal(await files.isLeft(), true)
  const read: unknown[] = []
  for (let next = await files.next(); next !== undefined; next = await files.next()) {
    files.moveTo(next.file)
    t.equal(files.inode, next.file.inode)
    read.push(await contentOf(files.current))
  }
  t.same(read, ['2', '3'])
  t.equal(await files.isLeft(), false)
  await files.close()
})

t.test('a file counts as begun when there is something in it', async (t) => {
  const folder = t.testdir({ log: '1' })
  const files = new FileSequence(`${folder}/log`)
  await files.open()
  rotate(folder, '')
  t.equal(await files.next(), undefined)
  t.equal(await files.isLeft(), false)
  writeFileSync(`${folder}/log`, '2')
  t.equal(await files.isLeft(), true)
  await files.close()
})

t.test('files are kept for reading them again, and then follow each other without being looked for', async (t) => {
  const folder = t.testdir({ log: '1' })
  const files = new FileSequence(`${folder}/log`)
  const first = await files.open()
  rotate(folder, '2')
  files.moveTo((await files.next())!.file)
  const second = files.current!
  await files.closeBefore(first)
  files.moveTo(first)
  t.equal(await contentOf(files.current), '1', 'it is open, as it was needed')
  rmSync(`${folder}/log`)
  rmSync(`${folder}/log.1`)
  const next = await files.next()
  t.same(next, { file: second, missed: undefined, rotated: true })
  await files.dismiss(next!)
  t.equal(await files.isLeft(), true)
  t.equal(await contentOf(second), '2', 'it is held open still')
  files.moveTo(second)
  await files.closeBefore(undefined)
  await t.rejects(contentOf(first), 'nothing needs it any more')
  t.equal(await contentOf(files.current), '2')
  await files.close()
})

t.test('a next file that is not moved to is closed', async (t) => {
  const folder = t.testdir({ log: '1' })
  const files = new FileSequence(`${folder}/log`)
  await files.open()
  rotate(folder, '2')
  const next = (await files.next())!
  t.equal(await contentOf(next.file), '2')
  await files.dismiss(next)
  await t.rejects(contentOf(next.file))
  t.equal(await contentOf(files.current), '1', 'the current one is as it was')
  await files.close()
})

t.test('a file is found by its inode under the name that rotation gave it', async (t) => {
  const folder = t.testdir({ log: '1' })
  const before = new FileSequence(`${folder}/log`)
  const { inode } = await before.open()
  rotate(folder, '2')
  const after = new FileSequence(`${folder}/log`)
  const { fingerprint } = FileMark.START
  t.ok(await after.openAt(inode, 0, fingerprint))
  t.equal(await contentOf(after.current), '1')
  t.equal(after.inode, inode)
  await after.close()
  rmSync(`${folder}/log.1`) // its inode is not given to another file, as it is held open
  const late = new FileSequence(`${folder}/log`)
  t.equal(await late.openAt(inode, 1, 'of other content'), undefined)
  t.equal(late.current, undefined)
  await before.close()
})

t.test('closing keeps what was read last in mind', async (t) => {
  const folder = t.testdir({ log: '1' })
  const files = new FileSequence(`${folder}/log`)
  const file = await files.open()
  await files.close()
  await files.close()
  t.equal(files.current, undefined)
  t.equal(files.inode, file.inode)
  await t.rejects(contentOf(file))
  t.equal(readFileSync(`${folder}/log`, 'utf8'), '1')
})

/** Beginning of a file that is packed with zstd. */
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0])

/** Number of descriptors that lead into a folder. */
function openIn(folder: string): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return links.filter((link) => link.startsWith(`${folder}/`)).length
}

const linuxOnly = { skip: process.platform !== 'linux' && 'descriptors are listed on Linux only' }

t.test('a packed file beside it is passed over when a position is looked for by its content', linuxOnly, async (t) => {
  const folder = t.testdir({ log: 'one\ntwo\n', 'log.1': ZSTD })
  const before = new FileSequence(`${folder}/log`)
  const mark = await (await before.open()).readAfter(FileMark.START, 4).then((bytes) => FileMark.START.after(bytes!))
  await before.close()
  renameSync(`${folder}/log`, `${folder}/old`)
  writeFileSync(`${folder}/log.2`, 'one\ntwo\n')
  writeFileSync(`${folder}/log`, ZSTD)
  const sequence = new FileSequence(`${folder}/log`)
  t.match(await sequence.openAt('1', 4, mark.fingerprint), { position: 4 })
  await sequence.close()
  t.equal(openIn(folder), 0)
})

t.test('files are closed when they cannot be compared', linuxOnly, async (t) => {
  const folder = t.testdir({ log: ZSTD })
  const sequence = new FileSequence(`${folder}/log`)
  const inode = String(statSync(`${folder}/log`).ino)
  await t.rejects(sequence.openAt(inode, 4, ''), /zstd/)
  writeFileSync(`${folder}/log`, 'one\ntwo\n')
  const current = await sequence.open()
  const mark = FileMark.START.after((await current.readAfter(FileMark.START, 8))!)
  renameSync(`${folder}/log`, `${folder}/gone`)
  writeFileSync(`${folder}/log`, ZSTD)
  const next = await sequence.next()
  await t.rejects(sequence.isContinuedBy(next!, mark), /zstd/)
  t.equal(openIn(folder), 1)
  await sequence.close()
  t.equal(openIn(folder), 0)
})
