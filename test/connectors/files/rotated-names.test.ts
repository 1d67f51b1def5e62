/** Files are found under the names that rotation gives them. */
import { appendFileSync, existsSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { FileInlet } from '../../../src/connectors/files/file-inlet.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'

async function allOf(inlet: FileInlet): Promise<unknown[]> {
  const records: unknown[] = []
  for (;;) {
    const update = new Update(['file'], 0)
    const pulled = (await inlet.pull(update)) as unknown[]
    inlet.onTransferEnd(update, true)
    if (pulled.length === 0) return records
    records.push(...pulled)
  }
}

const NAMES = {
  'app-1.log': (number: number) => `app-${number}.log`,
  'app.1.log': (number: number) => `app.${number}.log`,
  'app_1.log': (number: number) => `app_${number}.log`,
  'app1.log': (number: number) => `app${number}.log`,
}

for (const [shown, nameOf] of Object.entries(NAMES)) {
  for (const ascending of [false, true]) {
    t.test(`${shown}, where the ${ascending ? 'greatest' : 'smallest'} number is the youngest`, async (t) => {
      const logs = captureLogs(t)
      const folder = t.testdir({ 'app.log': '1\n' })
      const path = `${folder}/app.log`
      const options = { positionFile: `${folder}/position`, linesPerTransfer: 10 }
      let now = 1
      let files = 0
      const rotate = (next: string) => {
        utimesSync(path, now, now)
        now++
        if (!ascending) {
          for (let number = files; number > 0; number--) {
            renameSync(`${folder}/${nameOf(number)}`, `${folder}/${nameOf(number + 1)}`)
          }
        }
        files++
        renameSync(path, `${folder}/${nameOf(ascending ? files : 1)}`)
        writeFileSync(path, next)
      }
      const inlet = new FileInlet(path, options)
      await inlet.onStart()
      t.same(await allOf(inlet), ['1'])
      appendFileSync(path, '2\n')
      rotate('3\n')
      rotate('4\n')
      t.same(await allOf(inlet), ['2', '3', '4'])
      await inlet.onShutdown()
      appendFileSync(path, '5\n')
      rotate('6\n')
      rotate('7\n')
      const after = new FileInlet(path, options)
      await after.onStart()
      t.same(await allOf(after), ['5', '6', '7'], 'also while nobody read')
      await after.onShutdown()
      t.same(logs.messages(), [])
    })
  }
}

t.test('the logs of others, whose names look like that, are left alone', async (t) => {
  const folder = t.testdir({ 'app.log': '1\n', 'app1.log': 'of another service\n', 'app-2.log': 'of a third\n' })
  const path = `${folder}/app.log`
  const inlet = new FileInlet(path)
  await inlet.onStart()
  t.same(await allOf(inlet), ['1'])
  rmSync(path)
  appendFileSync(`${folder}/app1.log`, 'of another service\n')
  writeFileSync(path, '2\n')
  t.same(await allOf(inlet), ['2'], 'also when it is deleted')
  renameSync(path, `${path}.1`)
  writeFileSync(path, '3\n')
  t.same(await allOf(inlet), ['3'], 'and when it is rotated under other names')
  await inlet.onShutdown()
  t.ok(existsSync(`${folder}/app1.log`))
})
