import { readFile } from 'node:fs/promises'
import t from 'tap'
import { isMissing, orMissing } from '../../../src/connectors/files/missing.js'

t.test('only the code of an error says that a file is missing', async (t) => {
  t.ok(isMissing(Object.assign(new Error(), { code: 'ENOENT' })))
  t.notOk(isMissing(new Error('ENOENT')))
  t.notOk(isMissing({ code: 'ENOENT' }))
})

t.test('work that needs a file gives nothing where there is none, and fails for any other reason', async (t) => {
  const folder = t.testdir({ there: '1' })
  t.equal(await orMissing(readFile(`${folder}/there`, 'utf8')), '1')
  t.equal(await orMissing(readFile(`${folder}/gone`, 'utf8')), undefined)
  await t.rejects(orMissing(readFile(folder, 'utf8')), { code: 'EISDIR' })
})
