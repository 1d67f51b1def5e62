/** A file that takes the place of another one, and begins as that did, is read on where the other one was left. */
import { Buffer } from 'node:buffer'
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import t, { type Test } from 'tap'
import { CsvInlet } from '../../../src/connectors/csv/csv-inlet.js'
import { FileInlet, type FileInletOptions } from '../../../src/connectors/files/file-inlet.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'

/** Replaces a file as rsync, syncthing, `sed -i` and editors do: by a new one that is renamed to it. */
function replace(path: string, content: string | Buffer): void {
  writeFileSync(`${path}.tmp`, content)
  renameSync(`${path}.tmp`, path)
}

async function allOf(inlet: FileInlet | CsvInlet, delivered = true): Promise<unknown[]> {
  const records: unknown[] = []
  for (;;) {
    const update = new Update(['file'], 0)
    const pulled = (await inlet.pull(update)) as unknown[]
    inlet.onTransferEnd(update, delivered)
    if (pulled.length === 0 || !delivered) return [...records, ...pulled]
    records.push(...pulled)
  }
}

async function started(t: Test, path: string, options: FileInletOptions = {}): Promise<FileInlet> {
  const inlet = new FileInlet(path, { linesPerTransfer: 2, ...options })
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  return inlet
}

t.test('only what is new of it is read, at each sync, and after a restart', async (t) => {
  const logs = captureLogs(t)
  const folder = t.testdir({ log: '1\n2\n3\n' })
  const path = `${folder}/log`
  const options = { positionFile: `${folder}/position` }
  const inlet = await started(t, path, options)
  t.same(await allOf(inlet), ['1', '2', '3'])
  replace(path, '1\n2\n3\n4\n')
  t.same(await allOf(inlet), ['4'])
  replace(path, '1\n2\n3\n4\n')
  t.same(await allOf(inlet), [])
  replace(path, '1\n2\n3\n4\n5\n')
  replace(path, '1\n2\n3\n4\n5\n6\n')
  t.same(await allOf(inlet), ['5', '6'])
  await inlet.onShutdown()
  replace(path, '1\n2\n3\n4\n5\n6\n7\n')
  t.same(await allOf(await started(t, path, options)), ['7'])
  t.notMatch(logs.messages().join('\n'), /written anew|gone/)
})

t.test('a last line that was not complete is read once, when it is', async (t) => {
  const path = `${t.testdir({ log: '1\n2' })}/log`
  const inlet = await started(t, path)
  t.same(await allOf(inlet), ['1'])
  replace(path, '1\n23\n4')
  t.same(await allOf(inlet), ['23'])
})

t.test('rows keep the header that they had', async (t) => {
  const path = `${t.testdir({ rows: 'a,b\n1,2\n' })}/rows`
  const inlet = new CsvInlet(path)
  await inlet.onStart()
  t.same(await allOf(inlet), [{ a: '1', b: '2' }])
  replace(path, 'a,b\n1,2\n3,4\n')
  t.same(await allOf(inlet), [{ a: '3', b: '4' }])
  await inlet.onShutdown()
})

t.test('it is read from its start when it differs anywhere, or is shorter', async (t) => {
  captureLogs(t, 'silent')
  const lines = Array.from({ length: 500 }, (_, line) => `line ${line} of the log`)
  const path = `${t.testdir({ log: `${lines.join('\n')}\n` })}/log`
  const inlet = await started(t, path, { linesPerTransfer: 1000 })
  t.same(await allOf(inlet), lines)
  const other = lines.with(250, 'line ??? of the log'.slice(0, lines[250]!.length))
  replace(path, `${other.join('\n')}\n`)
  t.same(await allOf(inlet), other)
  replace(path, `${other.slice(0, 400).join('\n')}\n`)
  t.same(await allOf(inlet), other.slice(0, 400))
})

t.test('of a large file, windows all over it are compared', async (t) => {
  captureLogs(t, 'silent')
  const line = `${'x'.repeat(1023)}\n`
  const bytes = Buffer.from(line.repeat(20 * 1024))
  const path = `${t.testdir({})}/log`
  writeFileSync(path, bytes)
  const inlet = await started(t, path, { linesPerTransfer: 10 * 1024 })
  t.equal((await allOf(inlet)).length, 20 * 1024)
  replace(path, Buffer.concat([bytes, Buffer.from('new\n')]))
  t.same(await allOf(inlet), ['new'])
  const changed = Buffer.from(bytes)
  changed.fill('y', 10 * 1024 * 1024, 10 * 1024 * 1024 + 512 * 1024)
  replace(path, changed)
  t.equal((await allOf(inlet)).length, 20 * 1024 - 512, 'the line ends of 512 lines are gone')
})

t.test('a rotated file is another one, even if the new one begins as it did', async (t) => {
  const path = `${t.testdir({ log: 'start\n1\n' })}/log`
  const inlet = await started(t, path)
  t.same(await allOf(inlet), ['start', '1'])
  renameSync(path, `${path}.1`)
  writeFileSync(path, 'start\n1\n2\n')
  t.same(await allOf(inlet), ['start', '1', '2'])
})

t.test('a backup that an editor leaves is no rotation', async (t) => {
  const path = `${t.testdir({ log: '1\n' })}/log`
  const inlet = await started(t, path)
  t.same(await allOf(inlet), ['1'])
  for (const [backup, more] of [
    ['~', '2'],
    ['.bak', '3'],
  ]) {
    linkSync(path, `${path}${backup}`)
    replace(path, `${readFileSync(path, 'utf8')}${more}\n`)
    t.same(await allOf(inlet), [more])
  }
})

t.test(
  'lines that were not delivered are read again from the file that was replaced, and go on in the new one',
  async (t) => {
    captureLogs(t, 'silent')
    const path = `${t.testdir({ log: '1\n2\n3\n4\n' })}/log`
    const inlet = await started(t, path, { redeliver: true })
    const update = new Update(['file'], 0)
    t.same(await inlet.pull(update), ['1', '2'])
    t.same(await allOf(inlet), ['3', '4'])
    replace(path, '1\n2\n3\n4\n5\n')
    t.same(await allOf(inlet), ['5'])
    inlet.onTransferEnd(update, false)
    t.same(await allOf(inlet), ['1', '2', '3', '4', '5'])
  },
)

t.test('a mirror of rotated files, all of them new, is read on in the one that goes on', async (t) => {
  const folder = t.testdir({ log: '1\n2\n' })
  const path = `${folder}/log`
  const inlet = await started(t, path)
  t.same(await allOf(inlet), ['1', '2'])
  await new Promise((done) => setTimeout(done, 20))
  writeFileSync(`${path}.1`, '1\n2\n3\n')
  replace(path, '4\n')
  t.same(await allOf(inlet), ['3', '4'])
})

t.test('a kept position is found in files that were restored, whatever inodes they have', async (t) => {
  const logs = captureLogs(t)
  const folder = t.testdir({ log: '1\n2\n' })
  const path = `${folder}/log`
  const options = { positionFile: `${folder}/position` }
  const first = await started(t, path, options)
  t.same(await allOf(first), ['1', '2'])
  await first.onShutdown()
  appendFileSync(path, '3\n')
  mkdirSync(`${folder}/backup`)
  copyFileSync(path, `${folder}/backup/log.1`)
  rmSync(path)
  // the inode of the old file may well be given to this one
  writeFileSync(path, '4\n')
  copyFileSync(`${folder}/backup/log.1`, `${path}.1`)
  utimesSync(`${path}.1`, 1, 1)
  t.same(await allOf(await started(t, path, options)), ['3', '4'])
  t.same(logs.messages(), [])
})

t.test('a file that was given the inode of the one that was read is not taken for it', async (t) => {
  const logs = captureLogs(t)
  const folder = t.testdir({ log: '1\n2\n' })
  const path = `${folder}/log`
  const options = { positionFile: `${folder}/position` }
  const first = await started(t, path, options)
  t.same(await allOf(first), ['1', '2'])
  await first.onShutdown()
  // a rename keeps the inode for certain
  renameSync(path, `${path}-notes`)
  writeFileSync(`${path}-notes`, 'what has nothing to do with it\n')
  writeFileSync(path, '3\n')
  t.same(await allOf(await started(t, path, options)), ['3'])
  t.match(logs.messages(), [/the file that was read up to byte 4 is gone/])
})
