import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { getLogger } from '../../../src/base/log.js'
import { FollowLog } from '../../../src/connectors/files/follow-log.js'
import { LineSplitter, type LineState } from '../../../src/connectors/files/line-splitter.js'
import { SequenceReader } from '../../../src/connectors/files/sequence-reader.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'

/** Makes a reader of `log` in a folder, which is closed when the test ends. */
function readerOf(t: Test, folder: string, redeliver = true): SequenceReader<string, LineState> {
  const splitter = new LineSplitter('utf-8', { maxLength: 10, longLines: 'skip' })
  const log = new FollowLog(getLogger('databay.Test'), 'Test(log)', splitter.noun)
  const reader = new SequenceReader(`${folder}/log`, splitter, redeliver, log)
  t.teardown(() => reader.close())
  return reader
}

const update = (number = 0) => new Update(['file'], number)

/** Rotates `log` to `log.1`, and begins a new one. */
function rotate(folder: string, content: string): void {
  renameSync(`${folder}/log`, `${folder}/log.1`)
  writeFileSync(`${folder}/log`, content)
}

t.test('nothing is read, and there is no position, before a file is open', async (t) => {
  const folder = t.testdir({ log: '1\n' })
  const reader = readerOf(t, folder)
  t.equal(reader.isOpen, false)
  t.equal(reader.position, undefined)
  t.same(await reader.pull(9, update()), [])
  await reader.open()
  t.equal(reader.isOpen, true)
  t.match(reader.position, { position: 0 })
  await t.rejects(readerOf(t, `${folder}/none`).open(), { code: 'ENOENT' })
})

t.test('a pull reads lines of one file, the rest of a rotated one first', async (t) => {
  captureLogs(t)
  const folder = t.testdir({ log: '1\n2\n' })
  const reader = readerOf(t, folder, false)
  await reader.open()
  t.same(await reader.pull(1, update()), ['1'])
  rotate(folder, '3\n')
  t.same(await reader.pull(9, update()), ['2'])
  t.same(await reader.pull(9, update()), ['3'])
  t.same(await reader.pull(9, update()), [])
})

t.test('lines of failed transfers are read again, of files that were left since, too', async (t) => {
  const logs = captureLogs(t)
  const folder = t.testdir({ log: '1\n2\n' })
  const reader = readerOf(t, folder)
  await reader.open()
  const updates = [0, 1, 2].map(update)
  for (const [index, lines] of [['1'], ['2']].entries()) {
    t.same(await reader.pull(1, updates[index]!), lines)
  }
  rotate(folder, '3\n')
  t.same(await reader.pull(1, updates[2]!), ['3'])
  rmSync(`${folder}/log.1`)
  reader.ended(updates[0]!, true)
  reader.ended(updates[1]!, false)
  t.match(reader.position, { position: 2 }, 'all before it is delivered')
  await reader.goBack()
  t.match(logs.messages().at(-1), 'Test(log): 2 lines were not delivered: they are read again')
  const again = update(3)
  t.same(await reader.pull(9, again), ['2'])
  t.same(await reader.pull(9, again), ['3'])
  reader.ended(again, true)
  await reader.goBack()
  t.same(await reader.pull(9, update(4)), [], 'nothing is left to read again')
})

t.test('without redelivery, nothing is read again', async (t) => {
  const reader = readerOf(t, t.testdir({ log: '1\n2\n' }), false)
  await reader.open()
  const failed = update()
  t.same(await reader.pull(1, failed), ['1'])
  reader.ended(failed, false)
  await reader.goBack()
  t.same(await reader.pull(1, update()), ['2'])
})

t.test('lines that are gone when they are to be read again are told of', async (t) => {
  const logs = captureLogs(t)
  const folder = t.testdir({ log: '1\n2\n' })
  const reader = readerOf(t, folder)
  await reader.open()
  const failed = update()
  t.same(await reader.pull(9, failed), ['1', '2'])
  truncateSync(`${folder}/log`)
  appendFileSync(`${folder}/log`, '3\n')
  reader.ended(failed, false)
  await reader.goBack()
  t.match(logs.messages().at(-1), /truncated or written anew before it could be read again$/)
  t.same(await reader.pull(9, update()), ['3'])
})

t.test('another reader goes on at a position, under whatever name the file has by then', async (t) => {
  captureLogs(t)
  const folder = t.testdir({ log: '1\n2\n' })
  const before = readerOf(t, folder, false)
  await before.open()
  await before.pull(1, update())
  const saved = before.position!
  rotate(folder, '3\n')
  const after = readerOf(t, folder, false)
  await after.resume(structuredClone(saved))
  t.same(await after.pull(9, update()), ['2'])
  t.same(await after.pull(9, update()), ['3'])
  await before.close()
  t.same(before.position, saved, 'a closed reader keeps its position')
  await before.reset()
  t.equal(before.position, undefined)
})

t.test('a position whose file is gone, was rewritten, or is of another inlet', async (t) => {
  const logs = captureLogs(t)
  const folder = t.testdir({ log: '1\n2\n' })
  const before = readerOf(t, folder, false)
  await before.open()
  await before.pull(9, update())
  const saved = before.position!
  const other = readerOf(t, folder)
  await t.rejects(other.resume({ ...saved, state: { line: 1 } }), { message: /not of this inlet/ })
  writeFileSync(`${folder}/log`, '3\n4\n5\n')
  await other.resume(saved)
  t.same(await other.pull(9, update()), ['3', '4', '5'])
  t.match(logs.messages().at(-1), /^Test\(log\) was truncated or written anew after it was read up to byte 4/)
  writeFileSync(`${folder}/other`, '6\n')
  rmSync(`${folder}/log`)
  const late = readerOf(t, folder)
  await late.resume(saved)
  t.equal(late.isOpen, false)
  t.same(late.position, saved, 'the position is kept as long as no file has the name')
  await t.rejects(late.open(), { code: 'ENOENT' })
  renameSync(`${folder}/other`, `${folder}/log`)
  await late.open()
  t.same(await late.pull(9, update()), ['6'])
  t.match(logs.messages().at(-1), /^Test\(log\): the file that was read up to byte 4 is gone/)
})

t.test('damaged records are counted over pulls, and not twice when they are read again', async (t) => {
  const logs = captureLogs(t)
  const long = 'x'.repeat(11)
  const reader = readerOf(t, t.testdir({ log: `1\n${long}\n2\n${long}\n3\n` }))
  await reader.open()
  const failed = update()
  t.same(await reader.pull(2, failed), ['1', '2'])
  reader.ended(failed, false)
  await reader.goBack()
  t.same(await reader.pull(9, update()), ['1', '2', '3'])
  t.match(
    logs.entries().filter((entry) => 'damaged' in (entry as object)),
    [
      { damaged: 1, total: 1 },
      { damaged: 2, total: 2 },
    ],
  )
})
