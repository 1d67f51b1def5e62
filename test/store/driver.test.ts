import { execFile } from 'node:child_process'
import { register } from 'node:module'
import { promisify } from 'node:util'
import t from 'tap'
import { MissingDependencyError } from '../../src/base/errors.js'
import { loadDriver } from '../../src/store/driver.js'
import { inTransaction, passes, resultCode, SQLITE } from '../../src/store/sqlite.js'
import { builtStore, DRIVERS, isBuilt, OTHER_NODES } from '../helpers/stores.js'

for (const name of DRIVERS) {
  t.test(`${name} gives back what it was given`, async (t) => {
    const driver = await loadDriver(name)
    t.equal(driver.name, name)
    const database = driver.open(`${t.testdir()}/some.db`)
    t.teardown(() => {
      database.close()
    })
    database.exec('CREATE TABLE some(id INTEGER PRIMARY KEY, text TEXT, body BLOB) STRICT')
    const insert = database.prepare('INSERT INTO some(text, body) VALUES(?, ?)')
    t.match(insert.run('caf\u00e9 \ud83d\ude00', new Uint8Array([0, 1, 255])), { changes: 1, lastInsertRowid: 1 })
    t.match(insert.run(null, null), { changes: 1, lastInsertRowid: 2 })
    t.match(insert.run('', Buffer.from('abcdef').subarray(2, 4)), { lastInsertRowid: 3 })
    const select = database.prepare('SELECT * FROM some WHERE id = ?')
    t.same({ ...select.get(1) }, { id: 1, text: 'caf\u00e9 \ud83d\ude00', body: new Uint8Array([0, 1, 255]) })
    t.same({ ...select.get(3) }, { id: 3, text: '', body: new Uint8Array([99, 100]) })
    t.equal(select.get(9), undefined)
    t.same(
      database
        .prepare('SELECT * FROM some')
        .all()
        .map((row) => ({ ...row }))
        .map(({ id, body }) => [id, body]),
      [
        [1, new Uint8Array([0, 1, 255])],
        [2, null],
        [3, new Uint8Array([99, 100])],
      ],
    )
    // a lone blob is a trap of libsql
    t.equal(database.prepare('SELECT count(*) AS n FROM some WHERE body = ?').get(new Uint8Array([99, 100]))?.['n'], 1)
    t.equal(database.prepare('SELECT ? AS big').get(2 ** 53 - 1)?.['big'], 2 ** 53 - 1)
  })

  t.test(`the errors of ${name} have the codes of SQLite`, async (t) => {
    const driver = await loadDriver(name)
    const folder = t.testdir({ 'bad.db': 'A'.repeat(5000) })
    const database = driver.open(`${folder}/some.db`)
    t.teardown(() => {
      database.close()
    })
    database.exec('CREATE TABLE some(id INTEGER PRIMARY KEY, body BLOB)')
    const codeOf = (call: () => unknown) => {
      try {
        call()
        return undefined
      } catch (error) {
        return [resultCode(error), passes(error)]
      }
    }
    const bad = driver.open(`${folder}/bad.db`)
    t.same(
      codeOf(() => {
        bad.exec('PRAGMA journal_mode=WAL')
      }),
      [SQLITE.notADatabase, false],
    )
    bad.close()
    t.same(
      codeOf(() => driver.open(`${folder}/nowhere/some.db`)),
      [SQLITE.cannotOpen, true],
    )
    const insert = database.prepare('INSERT INTO some VALUES(?, ?)')
    insert.run(1, null)
    t.same(
      codeOf(() => insert.run(1, null)),
      [19, false],
      'a constraint',
    )
    database.exec('PRAGMA max_page_count=8')
    const fill = () => inTransaction(database, () => insert.run(2, new Uint8Array(100_000)))
    t.same(codeOf(fill), [SQLITE.full, true], 'a full disk is not hidden by a rollback that fails')
    t.equal(
      codeOf(() => inTransaction(database, () => insert.run(3, null))),
      undefined,
      'the next transaction can begin',
    )
    t.equal(
      codeOf(() => {
        throw new Error('none of SQLite')
      })?.[0],
      undefined,
    )
  })
}

t.test('without a library of SQLite, the error says what to install', async (t) => {
  const hooks = `export const resolve = (specifier, context, next) => {
    if (specifier !== 'libsql') return next(specifier, context)
    throw Object.assign(new Error("Cannot find package 'libsql'"), { code: 'ERR_MODULE_NOT_FOUND' })
  }`
  register(`data:text/javascript,${encodeURIComponent(hooks)}`)
  const { loadDriver } = (await import(
    `../../src/store/driver.js?${Math.random()}`
  )) as typeof import('../../src/store/driver.js')
  await t.rejects(loadDriver('libsql'), {
    code: MissingDependencyError.code,
    message: /^Node \d.* has no SQLite for a store.*needs the package libsql.*: npm install libsql@\^0\.5\.29 /,
  })
})

t.test('a driver is loaded only where a store is opened', { skip: isBuilt ? false : 'not built' }, async (t) => {
  const loads = `
    import process from 'node:process'
    const warnings = []
    process.on('warning', (warning) => warnings.push(warning.message))
    await import('${builtStore('../index.js')}')
    await import('${builtStore('../planners/worker-planner.js')}')
    await import('${builtStore('../cli/databay.js')}')
    const loaded = () => [
      ...process.moduleLoadList.filter((name) => name.includes('sqlite')),
      ...process.report.getReport().sharedObjects.filter((name) => name.includes('libsql')),
    ].length
    const before = loaded()
    const { loadDriver } = await import('${builtStore('driver.js')}')
    const atImport = loaded()
    await loadDriver()
    process.emitWarning('another experiment', 'ExperimentalWarning')
    await new Promise((resolve) => setImmediate(resolve))
    console.log(JSON.stringify({ before, atImport, after: loaded(), warnings }))`
  for (const node of [process.execPath, ...OTHER_NODES]) {
    const { stdout } = await promisify(execFile)(node, ['--input-type=module', '-e', loads])
    const found = JSON.parse(stdout) as { after: number }
    t.match(found, { before: 0, atImport: 0, warnings: ['another experiment'] }, node)
    t.ok(found.after > 0)
  }
})
