import { realpathSync } from 'node:fs'
import t from 'tap'
import { isWithin, realTarget } from '../../../src/connectors/files/real-target.js'

t.test('links are followed, to existing files and to missing ones', async (t) => {
  const folder = realpathSync(
    t.testdir({
      real: { file: '' },
      toFolder: t.fixture('symlink', 'real'),
      toFile: t.fixture('symlink', 'toFolder/file'),
      toMissing: t.fixture('symlink', 'toFolder/new/file'),
      toOutside: t.fixture('symlink', '/nowhere/file'),
      loop: t.fixture('symlink', 'loop'),
    }),
  )
  const cases: [string, string][] = [
    ['real/file', `${folder}/real/file`],
    ['toFile', `${folder}/real/file`],
    ['toFolder/other', `${folder}/real/other`],
    ['toFolder/a/b/c', `${folder}/real/a/b/c`],
    ['toMissing', `${folder}/real/new/file`],
    ['toOutside', '/nowhere/file'],
  ]
  for (const [from, to] of cases) t.equal(await realTarget(`${folder}/${from}`), to, from)
  await t.rejects(realTarget(`${folder}/loop`), { code: 'ELOOP' })
  await t.rejects(realTarget(`${folder}/real/file/below`), { code: 'ENOTDIR' })
})

t.test('a file is within a folder when its path goes on below it', async (t) => {
  t.ok(isWithin('/a', '/a/b'))
  t.ok(isWithin('/a', '/a/..b'))
  t.ok(isWithin('/', '/a'))
  for (const outside of ['/a', '/', '/ab', '/b/a']) t.notOk(isWithin('/a', outside), outside)
})
