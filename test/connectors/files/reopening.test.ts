/** A file that cannot be read any more as it was opened is opened again. */
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { FileInlet } from '../../../src/connectors/files/file-inlet.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'

for (const code of ['ESTALE', 'EIO']) {
  t.test(`${code}: it goes on where it was, and what was not delivered is read again`, async (t) => {
    const logs = captureLogs(t)
    const path = `${t.testdir({ log: '1\n2\n' })}/log`
    const inlet = new FileInlet(path, { redeliver: true })
    await inlet.onStart()
    const updates = [new Update(['a'], 0), new Update(['a'], 1), new Update(['a'], 2)] as const
    t.same(await inlet.pull(updates[0]), ['1'])
    await failOnce(t, path, code)
    t.same(await inlet.pull(updates[1]), ['2'])
    t.match(logs.messages(), [new RegExp(`${code}.*: it is opened again`)])
    inlet.onTransferEnd(updates[0], false)
    appendFileSync(path, '3\n')
    t.same(await inlet.pull(updates[2]), ['1'])
    await inlet.onShutdown()
  })
}
/** Has the next read of a file that is open fail. */
async function failOnce(t: Test, path: string, code: string): Promise<void> {
  const one = await open(path)
  const methods = Object.getPrototypeOf(one) as FileHandle
  await one.close()
  const read: unknown = Reflect.get(methods, 'read')
  const restore = () => Object.assign(methods, { read })
  t.teardown(restore)
  Object.assign(methods, {
    read() {
      restore()
      return Promise.reject(Object.assign(new Error(`${code}: it is gone`), { code }))
    },
  })
}

t.test('a file that is not there any more is followed by the one that has its name', async (t) => {
  captureLogs(t, 'silent')
  const path = `${t.testdir({ log: '1\n' })}/log`
  const inlet = new FileInlet(path)
  await inlet.onStart()
  t.same(await inlet.pull(new Update(['a'], 0)), ['1'])
  writeFileSync(`${path}.new`, '2\n')
  rmSync(path)
  renameSync(`${path}.new`, path)
  await failOnce(t, path, 'ESTALE')
  t.same(await inlet.pull(new Update(['a'], 1)), ['2'])
  await inlet.onShutdown()
})

/** Has each read and opening of a file fail, until the function that it returns is called. */
async function failAlways(t: Test, path: string, code: string): Promise<() => void> {
  const one = await open(path)
  const methods = Object.getPrototypeOf(one) as FileHandle
  await one.close()
  const originals = { read: Reflect.get(methods, 'read') as unknown, stat: Reflect.get(methods, 'stat') as unknown }
  const restore = () => void Object.assign(methods, originals)
  t.teardown(restore)
  const fail = () => Promise.reject(Object.assign(new Error(`${code}: it is gone`), { code }))
  Object.assign(methods, { read: fail, stat: fail })
  return restore
}

for (const positionFile of [false, true]) {
  const where = positionFile ? 'with a position file' : 'without a position file'
  t.test(`a disk that is away for several pulls does not make what was read come again, ${where}`, async (t) => {
    captureLogs(t, 'silent')
    const folder = t.testdir({ log: '1\n2\n3\n' })
    const position = `${folder}/position`
    const inlet = new FileInlet(`${folder}/log`, positionFile ? { positionFile: position } : {})
    await inlet.onStart()
    const updates = [0, 1, 2, 3, 4].map((number) => new Update(['a'], number)) as [
      Update,
      Update,
      Update,
      Update,
      Update,
    ]
    t.same(await inlet.pull(updates[0]), ['1'])
    inlet.onTransferEnd(updates[0], true)
    const restore = await failAlways(t, `${folder}/log`, 'EIO')
    await t.rejects(inlet.pull(updates[1]), /EIO/)
    await t.rejects(inlet.pull(updates[2]), /EIO/)
    t.match(inlet.saveState(), { position: 2 })
    restore()
    t.same(await inlet.pull(updates[3]), ['2'])
    inlet.onTransferEnd(updates[3], true)
    await inlet.onShutdown()
    if (positionFile) t.match(JSON.parse(readFileSync(position, 'utf8')), { position: 4 })
  })

  t.test(`a folder that is away for several pulls does not make what was read come again, ${where}`, async (t) => {
    captureLogs(t, 'silent')
    const root = t.testdir({ mount: { log: '1\n2\n3\n' } })
    const path = `${root}/mount/log`
    const inlet = new FileInlet(path, positionFile ? { positionFile: `${root}/position` } : {})
    await inlet.onStart()
    const updates = [0, 1, 2, 3].map((number) => new Update(['a'], number)) as [Update, Update, Update, Update]
    t.same(await inlet.pull(updates[0]), ['1'])
    inlet.onTransferEnd(updates[0], true)
    renameSync(`${root}/mount`, `${root}/away`)
    await failOnce(t, `${root}/away/log`, 'ESTALE')
    await t.rejects(inlet.pull(updates[1]), { cause: { code: 'ENOENT' } })
    await t.rejects(inlet.pull(updates[2]), { cause: { code: 'ENOENT' } })
    renameSync(`${root}/away`, `${root}/mount`)
    t.same(await inlet.pull(updates[3]), ['2'])
    await inlet.onShutdown()
  })
}

t.test('a file that is missing at a start, and awaited, goes on where it was once it is there', async (t) => {
  captureLogs(t, 'silent')
  const root = t.testdir({ mount: { log: '1\n2\n' } })
  const path = `${root}/mount/log`
  const before = new FileInlet(path)
  await before.onStart()
  t.same(await before.pull(new Update(['a'], 0)), ['1'])
  const state = before.saveState()
  await before.onShutdown()
  renameSync(`${root}/mount`, `${root}/away`)
  const inlet = new FileInlet(path, { missing: 'await' })
  inlet.restoreState(state)
  await inlet.onStart()
  t.same(await inlet.pull(new Update(['a'], 1)), [])
  t.match(inlet.saveState(), { position: 2 })
  renameSync(`${root}/away`, `${root}/mount`)
  t.same(await inlet.pull(new Update(['a'], 2)), ['2'])
  await inlet.onShutdown()
})

t.test('a carried pull that fails while the file cannot be opened is read again, and nothing before it', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({ log: '1\n2\n3\n' })
  const options = { positionFile: `${folder}/position` }
  const before = new FileInlet(`${folder}/log`, options)
  await before.onStart()
  const updates = [0, 1, 2, 3].map((number) => new Update(['a'], number)) as [Update, Update, Update, Update]
  t.same(await before.pull(updates[0]), ['1'])
  before.onTransferEnd(updates[0], true)
  t.same(await before.pull(updates[1]), ['2'])
  const state = structuredClone(before.saveState())
  await before.onShutdown()
  const inlet = new FileInlet(`${folder}/log`, options)
  inlet.restoreState(state)
  await inlet.onStart()
  inlet.onTransferEnd(updates[1], false)
  const restore = await failAlways(t, `${folder}/log`, 'EMFILE')
  await t.rejects(inlet.pull(updates[2]), /EMFILE/)
  restore()
  t.same(await inlet.pull(updates[3]), ['2'])
  await inlet.onShutdown()
  t.match(JSON.parse(readFileSync(`${folder}/position`, 'utf8')), { position: 2 })
})

t.test('a file that is opened again and again is told of in few lines', async (t) => {
  const logs = captureLogs(t)
  const path = `${t.testdir({ log: '' })}/log`
  const inlet = new FileInlet(path)
  await inlet.onStart()
  for (let number = 0; number < 20; number++) {
    appendFileSync(path, `${number}\n`)
    await failOnce(t, path, 'ESTALE')
    t.same(await inlet.pull(new Update(['a'], number)), [String(number)])
  }
  t.equal(logs.messages().filter((message) => message.includes('opened again')).length, 3)
  await inlet.onShutdown()
  t.match(logs.messages().at(-1), /there were 20 warnings/)
})
