/** Warnings that were only counted are told at the shutdown. */
import { Buffer } from 'node:buffer'
import { open, type FileHandle } from 'node:fs/promises'
import t from 'tap'
import { CsvOutlet } from '../../../src/connectors/csv/csv-outlet.js'
import { FileInlet } from '../../../src/connectors/files/file-inlet.js'
import { FileOutlet } from '../../../src/connectors/files/file-outlet.js'
import { Record } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'

t.test('a whole file with bytes that are not of its encoding', async (t) => {
  const logs = captureLogs(t)
  const inlet = new FileInlet(`${t.testdir({ in: Buffer.from([0x61, 0xff]) })}/in`, { mode: 'file' })
  for (let number = 0; number < 9; number++) await inlet.pull(new Update(['a'], number))
  t.equal(logs.messages().length, 3)
  await inlet.onShutdown()
  t.match(logs.messages()[3], /^FileInlet\(.*\): there were 9 warnings/)
})

for (const Outlet of [FileOutlet, CsvOutlet]) {
  t.test(`writes of ${Outlet.name} that are tried again`, async (t) => {
    const logs = captureLogs(t)
    const folder = t.testdir({})
    const one = await open(`${folder}/one`, 'w')
    const methods = Object.getPrototypeOf(one) as FileHandle
    await one.close()
    const write: unknown = Reflect.get(methods, 'write')
    t.teardown(() => Object.assign(methods, { write }))
    const outlet = new Outlet(`${folder}/out`, { retry: { retries: 1, minDelay: { milliseconds: 1 } } })
    for (let number = 0; number < 9; number++) {
      Object.assign(methods, {
        write() {
          Object.assign(methods, { write })
          return Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
        },
      })
      await outlet.push([new Record({ a: 1 })], new Update(['a'], number))
    }
    t.equal(logs.messages().length, 3)
    outlet.onShutdown()
    t.match(logs.messages()[3], /^(?:File|Csv)Outlet\(.*\): there were 9 warnings/)
  })
}
