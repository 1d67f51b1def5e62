/** What an inlet reads ahead for the pulls to come is used only as long as nobody writes to the file. */
import { Buffer } from 'node:buffer'
import { appendFileSync, closeSync, openSync, renameSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { FileInlet } from '../../../src/connectors/files/file-inlet.js'
import { isSettled, ReadWindow } from '../../../src/connectors/files/read-window.js'
import { FileMark } from '../../../src/connectors/files/file-mark.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'

const LINES = 2000
const lines = (kind: string, from = 0, to = LINES) =>
  Array.from({ length: to - from }, (_, index) => `${kind} ${String(from + index).padStart(30, '.')}`)
const text = (list: readonly string[]) => list.map((line) => `${line}\n`).join('')

/** Pulls lines one by one of a file that was written a while ago, so that the inlet has read ahead. */
async function reading(t: Test) {
  const file = `${t.testdir()}/log`
  writeFileSync(file, text(lines('a')))
  // longer than what two changes at the same time take
  await setTimeout(80)
  const inlet = new FileInlet(file)
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  const pull = async (count: number) => {
    const pulled: string[][] = []
    for (let n = 0; n < count; n++) pulled.push((await inlet.pull(new Update(['window'], n))) as string[])
    return pulled.flat()
  }
  t.same(await pull(50), lines('a', 0, 50))
  return { file, pull }
}

t.test('all lines come, in order, and those that are added later', async (t) => {
  const { file, pull } = await reading(t)
  t.same(await pull(LINES), lines('a', 50))
  appendFileSync(file, text(lines('b', 0, 3)))
  t.same(await pull(5), lines('b', 0, 3))
  appendFileSync(file, 'half')
  t.same(await pull(2), [])
  appendFileSync(file, ' a line\n')
  t.same(await pull(2), ['half a line'])
})

t.test('lines that are changed in place come as they are now', async (t) => {
  const { file, pull } = await reading(t)
  const fd = openSync(file, 'r+')
  writeSync(fd, text(lines('b', 50, 60)), text(lines('a', 0, 50)).length)
  closeSync(fd)
  t.same(await pull(12), [...lines('b', 50, 60), ...lines('a', 60, 62)])
})

t.test('a file that is rewritten at its size, or truncated, is read from its start', async (t) => {
  captureLogs(t, 'silent')
  const { file, pull } = await reading(t)
  writeFileSync(file, text(lines('b')))
  t.same(await pull(3), lines('b', 0, 3))
  await setTimeout(80)
  t.same(await pull(30), lines('b', 3, 33))
  truncateSync(file)
  t.same(await pull(1), [])
  appendFileSync(file, text(lines('c')))
  t.same(await pull(3), lines('c', 0, 3))
})

t.test('a file that is rotated is read to its end, then the next one', async (t) => {
  captureLogs(t, 'silent')
  const { file, pull } = await reading(t)
  renameSync(file, `${file}.1`)
  writeFileSync(file, text(lines('b', 0, 2)))
  appendFileSync(`${file}.1`, 'last\n')
  t.same(await pull(LINES), [...lines('a', 50), 'last', ...lines('b', 0, 2)])
})

t.test('times of a file tell whether its next change will show', (t) => {
  const now = BigInt(Date.now()) * 1_000_000n
  const at = (age: bigint, coarse = false) => {
    const time = coarse ? ((now - age) / 1_000_000_000n) * 1_000_000_000n : now - age + 1n
    return isSettled({ mtimeNs: time, ctimeNs: time } as never)
  }
  t.notOk(at(1_000_000n), 'a millisecond ago')
  t.ok(at(1_000_000_000n), 'a second ago')
  t.notOk(at(1_000_000_000n, true), 'a second ago, where times are in seconds')
  t.ok(at(5_000_000_000n, true))
  t.notOk(isSettled({ mtimeNs: now - 9_000_000_001n, ctimeNs: now + 1n } as never), 'its mtime was set back')
  t.end()
})

t.test('a window gives bytes only around marks that are in it, of a file that is as it was', (t) => {
  const stats = { size: 10n, mtimeNs: 1n, ctimeNs: 1n } as never
  const window = new ReadWindow(stats, 0, Buffer.from('0123456789'))
  const mark = FileMark.START.after(Buffer.from('012'))
  t.equal(String(window.around(mark, 4, stats)), '0123456')
  t.equal(String(window.around(mark, 40, stats)), '0123456789', 'to the end of the file')
  t.equal(window.around(FileMark.START.after(Buffer.from('01x')), 4, stats), undefined)
  for (const change of ['size', 'mtimeNs', 'ctimeNs']) {
    t.equal(window.around(mark, 4, { ...(stats as object), [change]: 11n } as never), undefined, change)
  }
  const part = new ReadWindow({ size: 20n, mtimeNs: 1n, ctimeNs: 1n } as never, 0, Buffer.from('0123456789'))
  t.equal(part.around(mark, 40, { size: 20n, mtimeNs: 1n, ctimeNs: 1n } as never), undefined, 'more than there is')
  t.end()
})
