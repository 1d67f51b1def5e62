import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { databay } from '../../../src/cli/databay.js'
import { LinkStore } from '../../../src/store/link-store.js'
import { ownStore } from '../../../src/store/store.js'
import { fakeContext } from '../../helpers/command.js'
import { letter, storeWithLetters } from '../../helpers/dead-letters.js'

async function run(argv: readonly string[], env: { [name: string]: string } = {}) {
  const context = fakeContext(argv, { env })
  const { code } = await databay(context)
  return { code, stdout: context.stdout.text, stderr: context.stderr.text }
}

async function storeIn(folder: string): Promise<string> {
  const owned = await ownStore(folder)
  const link = await LinkStore.open(owned.store, 'orders')
  await link.commit({ cursors: [{ inlet: 'FileInlet', version: 1, value: 5 }] })
  owned.store.database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  owned.release()
  return folder
}

t.test('check says that all is well, beside a planner too', async (t) => {
  const folder = await storeIn(t.testdir())
  const check = await run(['store', 'check', '--store', folder])
  t.match(check, { code: 0, stderr: '' })
  t.match(check.stdout.split('\n'), [
    `store ${folder} (`,
    /^used last by process \d+ on .* since .*, \d+ KiB, 0 KiB of it free$/,
    '',
    /^table +rows +damaged$/,
    /^meta +3 +0$/,
    /^link +1 +0$/,
    /^cursor +1 +0$/,
  ])
  t.match(check.stdout, /\n\nnothing is damaged\n$/)
  const owned = await ownStore(folder)
  const beside = await run(['store', 'check', '--json'], { DATABAY_STORE: folder })
  t.equal(beside.code, 0, beside.stderr)
  t.match(JSON.parse(beside.stdout), { folder, inUse: true, owner: { pid: process.pid }, problems: [] })
  for (const action of ['vacuum', 'salvage']) {
    const refused = await run(['store', action, '--store', folder])
    t.match(refused, {
      code: 1,
      stdout: '',
      stderr: /^databay: .*the store is in use by another planner of this process/,
    })
    const json = await run(['store', action, '--store', folder, '--json'])
    t.match(JSON.parse(json.stdout), { error: { code: 'DATABAY_STORE_OWNED' } })
  }
  owned.release()
})

t.test('check counts dead letters, and says what shows them', async (t) => {
  const folder = await storeWithLetters(t, [letter(1), letter(2)])
  const { code, stdout } = await run(['store', 'check', '--store', folder])
  t.equal(code, 0)
  t.match(stdout, /\ndead +2 +0\n/)
  t.match(stdout, /\n\n2 dead letters: databay dead-letters list shows them\nnothing is damaged\n$/)
})

t.test('check says what is damaged, salvage saves the rest', async (t) => {
  const folder = await storeIn(t.testdir())
  const owned = await ownStore(folder)
  const other = await LinkStore.open(owned.store, 'other')
  await other.commit({ cursors: [{ inlet: 'CsvInlet', version: 1, value: 5 }] })
  owned.store.database.exec(`UPDATE cursor SET value = '6' WHERE link = 'orders'`)
  owned.release()
  const check = await run(['store', 'check', '--store', folder])
  t.equal(check.code, 1)
  t.match(check.stdout, /\ncursor +2 +1\n/)
  t.match(check.stdout, /\n1 problem: databay store salvage saves the rest\n$/)
  t.equal(check.stderr, 'databay: cursor: 1 of its rows are not what was written\n')
  const salvage = await run(['store', 'salvage', '--store', folder])
  t.equal(salvage.code, 0, salvage.stderr)
  t.match(salvage.stdout, /\ncursor +1 +1\n/)
  t.match(salvage.stdout, /\ncursors: other \/ CsvInlet\nthe damaged store is in .*damaged-\d+\n$/)
  t.equal((await run(['store', 'check', '--store', folder])).code, 0)
})

t.test('of what is no store at all, salvage makes an empty one and exits with 1', async (t) => {
  const folder = await storeIn(t.testdir())
  writeFileSync(`${folder}/store.db`, 'A'.repeat(9000))
  const check = await run(['store', 'check', '--store', folder])
  t.match(check, { code: 1, stderr: /not a database/ })
  const salvage = await run(['store', 'salvage', '--store', folder, '--json'])
  t.match(salvage, { code: 1, stderr: /^databay: nothing could be read \(.*\): the new store is empty\n$/ })
  t.match(JSON.parse(salvage.stdout), { cursors: [], error: /not a database/ })
})

t.test('vacuum says how long the file was, and is', async (t) => {
  const folder = await storeIn(t.testdir())
  const vacuum = await run(['store', 'vacuum', '--store', folder])
  t.match(vacuum, { code: 0, stdout: /^store .*: \d+ KiB, now \d+ KiB\n$/, stderr: '' })
})

t.test('arguments are checked, with what was probably meant', async (t) => {
  const folder = t.testdir({ store: {} })
  await storeIn(`${folder}/store`)
  const wrong: readonly (readonly [argv: string[], stderr: RegExp, env?: { [name: string]: string }])[] = [
    [['store', 'chek'], /unknown command 'chek'[^]*Did you mean check\?/],
    [['store', 'check', '--stor', 'x'], /unknown option '--stor'[^]*Did you mean --store\?/],
    [
      ['store', 'check', '--store', `${folder}/stor`],
      /^databay: --store: expected a folder with a store in it, got '.*: did you mean store\?/,
    ],
    [['store', 'check', '--store', `${folder}/store/store.db`], /: the store is the folder, .*\/store$/m],
    [['store', 'check', '--store', `${folder}/no/such`], /: there is no folder .*\/no$/m],
    [['store', 'check', '--store', folder], /^databay: --store: expected a folder with a store in it/],
    [['store', 'check', '--store', ''], /--store: expected a path/],
    [
      ['store', 'vacuum'],
      /^databay: DATABAY_STORE: expected a folder with a store in it, got '\/nowhere'/,
      { DATABAY_STORE: '/nowhere' },
    ],
    [['store'], /Usage: databay store/],
  ]
  for (const [argv, stderr, env] of wrong) t.match(await run(argv, env), { code: 2, stderr }, argv.join(' '))
  t.match(readFileSync(`${folder}/store/store.db`).length > 0, true)
})
