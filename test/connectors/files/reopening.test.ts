/** A file that cannot be read any more as it was opened is opened again. */
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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
