import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { databay } from '../../../src/cli/databay.js'
import { DeadLetters } from '../../../src/store/dead-letters.js'
import { ownStore, readStore } from '../../../src/store/store.js'
import { fakeContext } from '../../helpers/command.js'
import { letter, STAGES, storeWithLetters, withoutRecord } from '../../helpers/dead-letters.js'

async function run(folder: string, ...argv: readonly string[]) {
  const context = fakeContext(['dead-letters', ...argv], { env: { DATABAY_STORE: folder } })
  const { code } = await databay(context)
  return { code, stdout: context.stdout.text, stderr: context.stderr.text }
}

async function lettersIn(folder: string) {
  const database = await readStore(folder)
  const letters = new DeadLetters(database).list({}, () => undefined)
  database.close()
  return letters
}

async function damage(folder: string, sql: string): Promise<void> {
  const { store, release } = await ownStore(folder)
  store.database.exec(sql)
  release()
}

const markedIn = async (folder: string) => (await lettersIn(folder)).filter(({ replay }) => replay).map(({ id }) => id)

/** Documents of JSON lines. */
const linesOf = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { id: number; [name: string]: unknown })

t.test('list shows letters, the newest last, and no payload', async (t) => {
  const folder = await storeWithLetters(t, [
    letter({ secret: 'S1' }),
    withoutRecord(),
    letter({ secret: 'S3' }, { stage: 'process', place: 'processor:0', node: 'clean', attempts: 1, code: 'X' }),
  ])
  const { code, stdout, stderr } = await run(folder, 'list')
  t.match({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout.split('\n'), [
    /^id +link +outlet +stage +place +node +time +tries +code +note +error$/,
    /^1 +orders +HttpOutlet +push +outlet:0 +HttpOutlet +.*\d\d:\d\d:\d\d +3 +DATABAY_HTTP +422 Unprocessable Entity: no amount$/,
    /^2 +orders .* no payload +422/,
    /^3 +orders +HttpOutlet +process +processor:0 +clean +.* 1 +X /,
    '',
    '3 dead letters',
    '',
  ])
  t.notMatch(stdout, 'secret')
  t.match(
    (await run(folder, 'list', '--payload')).stdout,
    /\n {4}\{"secret":"S1"\}\n2 .*\n3 .*\n {4}\{"secret":"S3"\}\n/,
  )
  const last = await run(folder, 'list', '--limit', '1')
  t.match(last.stdout, /^id.*\n3 .*\n\n3 dead letters, of which the last 1 are listed: see --limit\n$/)
  for (const [argv, ids] of [
    [
      ['--stage', 'push'],
      [1, 2],
    ],
    [['--code', 'X'], [3]],
    [
      ['--code', 'X', '--code', 'DATABAY_HTTP'],
      [1, 2, 3],
    ],
    [
      ['--outlet', 'HttpOutlet', '--link', 'orders', '--id', '2', '--id', '3'],
      [2, 3],
    ],
    [['--since', '10s'], []],
    [
      ['--since', '10min', '--limit', '2'],
      [2, 3],
    ],
    [
      ['--before', '10s'],
      [1, 2, 3],
    ],
  ] as const) {
    const { code, stdout } = await run(folder, 'list', '--json', ...argv)
    t.equal(code, 0, argv.join(' '))
    t.same(
      linesOf(stdout).map(({ id }) => id),
      ids,
      argv.join(' '),
    )
  }
  const [document] = linesOf((await run(folder, 'list', '--json')).stdout)
  t.match(document, { link: 'orders', attempts: 3, error: { message: '422 Unprocessable\nEntity' }, hasPayload: true })
  t.notOk('payload' in (document ?? {}))
  t.match(linesOf((await run(folder, 'list', '--json', '--payload')).stdout)[0], { payload: { secret: 'S1' } })
  t.match(await run(folder, 'list', '--code', 'OTHER'), { code: 0, stdout: 'no dead letters\n' })
})

t.test('show tells all of a letter, the payload only when asked', async (t) => {
  const folder = await storeWithLetters(t, [
    letter({ secret: 'S1' }, { group: 'orders.7#0', key: 'k1' }),
    withoutRecord(),
  ])
  const { code, stdout } = await run(folder, 'show', '1', '2')
  t.equal(code, 0)
  t.match(stdout, /^dead letter 1 of orders\n {2}outlet +HttpOutlet\n {2}stage +push, by HttpOutlet at outlet:0\n/)
  t.match(stdout, /\n {2}group +orders\.7#0\n {2}key +k1\n {2}error +Error: 422 Unprocessable\n +Entity\n +at /)
  t.match(stdout, /caused by: Error: no amount\n/)
  t.match(
    stdout,
    /\n {2}metadata +\{\n +"file": "orders.csv"\n +\}\n {2}payload +see --payload\n\ndead letter 2 of orders\n/,
  )
  t.match(stdout, /\n {2}payload +none is kept\n$/)
  t.notMatch(stdout, 'S1')
  t.match((await run(folder, 'show', '1', '--payload')).stdout, /payload +\{\n +"secret": "S1"\n/)
  const [json] = linesOf((await run(folder, 'show', '1', '--json')).stdout)
  t.match(json, { id: 1, metadata: { file: 'orders.csv' }, error: { cause: { message: 'no amount' } } })
  t.notOk('payload' in (json ?? {}))
  t.match(await run(folder, 'show', '1', '9'), {
    code: 1,
    stdout: /letter 1/,
    stderr: 'databay: there is no dead letter 9\n',
  })
})

t.test('replay marks letters, those of a group that a processor failed on together', async (t) => {
  const failed = { stage: 'process', place: 'processor:0', node: 'clean' }
  const folder = await storeWithLetters(t, [
    letter(1, { group: 'orders.7#0', ...failed }),
    letter(2, { group: 'orders.8#0', ...failed }),
    letter(3, { group: 'orders.7#0', ...failed }),
    withoutRecord({ group: 'orders.7#0', ...failed }),
    letter(5, { group: 'orders.9#0' }),
    letter(6, { group: 'orders.9#0' }),
  ])
  const dry = await run(folder, 'replay', '--id', '3', '--dry-run')
  t.equal(dry.code, 1, 'one cannot be delivered')
  t.equal(dry.stdout, '2 dead letters of orders would be delivered: once a planner uses this store again\n')
  t.equal(dry.stderr, 'databay: 1 dead letter cannot be delivered, without payload\n')
  t.same(await markedIn(folder), [])
  const { release } = await ownStore(folder)
  const { stdout } = await run(folder, 'replay', '--id', '3')
  t.equal(stdout, '2 dead letters of orders will be delivered: at the next transfer of the link, after newer records\n')
  t.same(await markedIn(folder), [1, 3])
  release()
  t.match(
    (await run(folder, 'replay', '--id', '5')).stdout,
    /^1 dead letter of orders will be /,
    'an outlet refuses one by one',
  )
  const json = JSON.parse((await run(folder, 'replay', '--all', '--json')).stdout) as object
  const expected = { dryRun: false, marked: 2, alreadyMarked: 3, withoutPayload: 1, links: { orders: 2 } }
  t.same(json, { ...expected, missing: [], damaged: [] })
  t.same(await markedIn(folder), [1, 2, 3, 5, 6])
  t.match((await run(folder, 'replay', '--link', 'orders')).stdout, '5 dead letters marked before\n')
  t.match(
    (await run(folder, 'list')).stdout,
    /\n5 +.* to replay .*\n6 .*\n\n6 dead letters\n5 dead letters to be delivered at/,
  )
})

t.test('replay marks a group that is large, and what is beside it', async (t) => {
  const failed = { stage: 'process', place: 'processor:0', node: 'clean', group: 'orders.7#0' }
  const folder = await storeWithLetters(t, [
    ...Array.from({ length: 499 }, (_, n) => letter(n)),
    ...Array.from({ length: 3000 }, (_, n) => letter(n, failed)),
    letter(0),
  ])
  t.match((await run(folder, 'replay', '--all', '--json')).stdout, /"marked": 3500,\n/)
  const { stdout } = await run(folder, 'list')
  t.match(stdout, /\n3500 dead letters, of which .*\n3500 dead letters to be delivered at the next transfer/)
})

t.test('replay lists the places of the link when a letter is of none of them, and takes one', async (t) => {
  const folder = await storeWithLetters(t, [
    letter(1, { node: 'OldOutlet' }),
    letter(2, { place: 'processor:1', node: 'enrich', stage: 'process' }),
    letter(3),
  ])
  const refused = await run(folder, 'replay', '--all')
  t.match(refused, { code: 1, stdout: '' })
  t.match(refused.stderr.split('\n'), [
    'databay: nothing is marked: orders has another node there now, or none: 1 of OldOutlet at outlet:0, 1 of enrich at processor:1',
    /^ +place +stage +node$/,
    /^ +processor:0 +process +clean$/,
    /^ +outlet:0 +push +HttpOutlet$/,
    /^ +outlet:1 processor:0 +process +shorten$/,
    /choose one of these places with --at, such as --at processor:0$/,
  ])
  t.same(await markedIn(folder), [])
  const json = JSON.parse((await run(folder, 'replay', '--all', '--json')).stdout) as object
  t.match(json, {
    marked: 0,
    strayed: [{ place: 'outlet:0', node: 'OldOutlet', letters: 1 }, {}],
    stages: { orders: STAGES },
  })
  const wrong = await run(folder, 'replay', '--all', '--at', 'procesor:0')
  t.match(wrong, { code: 2, stderr: /--at: expected a place of orders .* did you mean processor:0\?/ })
  t.same(await markedIn(folder), [])
  const moved = await run(folder, 'replay', '--id', '1', '--id', '2', '--at', 'outlet:1 processor:0')
  t.match(moved, { code: 0, stdout: /^2 dead letters of orders will be delivered from outlet:1 processor:0: / })
  t.match(await lettersIn(folder), [
    { id: 1, place: 'outlet:1 processor:0', node: 'shorten', stage: 'process', outlet: 'FileOutlet', replay: true },
    { id: 2, place: 'outlet:1 processor:0', replay: true },
    { id: 3, place: 'outlet:0', replay: false },
  ])
})

t.test('drop deletes letters, and only those that were meant', async (t) => {
  const folder = await storeWithLetters(
    t,
    Array.from({ length: 1200 }, (_, n) => letter(n, n % 2 === 0 ? { code: 'EVEN' } : {})),
  )
  const dry = await run(folder, 'drop', '--code', 'EVEN', '--dry-run')
  t.match(dry, { code: 0, stdout: '600 dead letters of orders would be deleted\n' })
  t.equal((await lettersIn(folder)).length, 1000, 'none is gone')
  t.match((await run(folder, 'drop', '--code', 'EVEN')).stdout, '600 dead letters of orders deleted\n')
  t.match((await run(folder, 'drop', '--limit', '2', '--json')).stdout, /"dropped": 2,\n/)
  const left = await lettersIn(folder)
  t.equal(left.length, 598)
  t.match(left[0], { id: 6, code: 'DATABAY_HTTP' })
  t.match((await run(folder, 'drop', '--all')).stdout, '598 dead letters of orders deleted\n')
  t.match(await run(folder, 'drop', '--all'), { code: 0, stdout: 'no dead letters\n' })
})

t.test('export writes letters with their records', async (t) => {
  const when = new Date(Date.UTC(2026, 0, 31))
  const payload: { [name: string]: unknown } = {
    ...{ when, big: 5n, huge: 2n ** 70n, bytes: Buffer.from('hey'), not: undefined, odd: [Number.NaN, -0, -Infinity] },
    ...{ map: new Map([['a', new Set([1])]]), pattern: /a+/gi, floats: new Float32Array([1]) },
    id: { _bsontype: 'ObjectId', $oid: '0123456789abcdef01234567' },
  }
  payload['self'] = { payload }
  const folder = await storeWithLetters(t, [letter(payload), withoutRecord()])
  const { code, stdout, stderr } = await run(folder, 'export', '--all')
  t.match({ code, stderr }, { code: 0, stderr: '' })
  const [first, second] = linesOf(stdout)
  t.strictSame(first?.['payload'], {
    when: { $date: '2026-01-31T00:00:00.000Z' },
    big: { $numberLong: '5' },
    huge: { $bigint: '1180591620717411303424' },
    bytes: { $binary: { base64: 'aGV5', subType: '00' } },
    not: { $undefined: true },
    odd: [{ $numberDouble: 'NaN' }, { $numberDouble: '-0.0' }, { $numberDouble: '-Infinity' }],
    map: { $map: [['a', { $set: [1] }]] },
    pattern: { $regularExpression: { pattern: 'a+', options: 'gi' } },
    floats: { $array: { type: 'Float32Array', base64: 'AACAPw==' } },
    id: { $oid: '0123456789abcdef01234567' },
    self: { payload: { $ref: '' } },
  })
  t.strictSame(first?.['metadata'], { file: 'orders.csv' })
  t.match(second, { id: 2, hasPayload: false })
})

t.test('export writes a file that is private, and replaces none', async (t) => {
  const folder = await storeWithLetters(t, [letter(1), letter(2)])
  const out = dirname(folder)
  const file = join(out, 'dead.jsonl')
  t.match(await run(folder, 'export', '--all', '--output', file), { code: 0, stdout: `2 dead letters in ${file}\n` })
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(linesOf(readFileSync(file, 'utf8')).length, 2)
  const there = join(out, 'there')
  writeFileSync(there, 'mine')
  t.match(await run(folder, 'export', '--all', '--output', there), { code: 2, stderr: /not there yet, or --force/ })
  t.equal(readFileSync(there, 'utf8'), 'mine')
  t.match(await run(folder, 'export', '--id', '2', '--output', there, '--force', '--json'), {
    code: 0,
    stdout: `{"exported":1,"file":"${there}"}\n`,
  })
  t.equal(statSync(there).mode & 0o777, 0o600)
  t.match(await run(folder, 'export', '--all', '--output', join(out, 'no/dead')), {
    code: 2,
    stderr: /folder that exists/,
  })
  t.match(await run(folder, 'export', '--all', '--output', out), { code: 2, stderr: /not there yet|can be written/ })
  symlinkSync(join(folder, 'store.db'), join(out, 'link'))
  for (const own of [join(folder, 'store.db'), join(folder, 'store.db-wal'), join(out, 'link')]) {
    const refused = await run(folder, 'export', '--all', '--force', '--output', own)
    t.match(refused, { code: 2, stderr: /--output: expected a file outside of the folder of the store/ }, own)
  }
  t.equal((await lettersIn(folder)).length, 2)
  if (existsSync('/dev/full')) {
    const full = join(out, 'full')
    symlinkSync('/dev/full', full)
    const failed = await run(folder, 'export', '--all', '--force', '--output', full)
    t.match(failed, { code: 1, stderr: /full is not all of them, as it cannot be written: ENOSPC/ })
  }
})

t.test('damaged letters are told, left out, and dropped by their id', async (t) => {
  const folder = await storeWithLetters(t, [letter(1), letter(2), letter(3), letter(4)])
  await damage(folder, `UPDATE dead SET node = 'X' WHERE id = 2; UPDATE dead SET body = x'00' WHERE id = 3`)
  const told = 'databay: dead letter 2 is damaged: it is left out\n'
  t.match(await run(folder, 'list'), { code: 1, stdout: /\n1 .*\n3 .*\n4 /, stderr: told })
  const exported = await run(folder, 'export', '--all')
  t.equal(exported.code, 1)
  t.match(
    exported.stderr,
    /record of dead letter 3 cannot be read: .* is not what was written: .*: it is exported without\n/,
  )
  t.match(exported.stderr, told)
  t.match(
    linesOf(exported.stdout).map(({ id, payload }) => [id, payload]),
    [
      [1, 1],
      [3, undefined],
      [4, 4],
    ],
  )
  t.match(await run(folder, 'replay', '--all'), { code: 1, stdout: /^3 dead letters/, stderr: told })
  t.match(await run(folder, 'drop', '--code', 'DATABAY_HTTP'), { code: 1, stdout: /^3 dead letters/, stderr: told })
  t.match(await run(folder, 'drop', '--id', '2'), { code: 0, stdout: /^1 dead letter deleted/ })
  t.match(await run(folder, 'list'), { code: 0, stdout: 'no dead letters\n' })
})

t.test('bad arguments are told, with what was meant', async (t) => {
  const folder = await storeWithLetters(t, [letter(1)])
  const refused = async (line: string, message: RegExp) => {
    const { code, stdout, stderr } = await run(folder, ...line.split(' '))
    t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: message }, line)
  }
  await refused('lst', /unknown command 'lst'\n\(Did you mean list\?\)|Did you mean list/)
  await refused('replay', /dead-letters replay: expected what chooses letters .*, or --all/)
  await refused('drop --dry-run', /dead-letters drop: expected what chooses letters .*, or --all/)
  await refused('export', /dead-letters export: expected what chooses letters/)
  await refused('drop --all --link orders', /--all: expected nothing beside it that chooses letters/)
  await refused(
    'list --link order',
    /--link: expected the name of a link that is in the store, .* did you mean orders\?/,
  )
  await refused('drop --link other', /--link: expected the name of a link that is in the store/)
  await refused('replay --outlet HtpOutlet', /--outlet: .* did you mean HttpOutlet\?/)
  await refused('export --code DATABAY_HTPP', /--code: .* did you mean DATABAY_HTTP\?/)
  await refused(
    'list --stage pusch',
    /--stage: expected one of process, group, push, store, got 'pusch': did you mean push/,
  )
  await refused('list --since yesterday', /--since: expected a length of time/)
  await refused('list --id x', /--id: expected an integer of at least 1/)
  await refused('replay x', /<id>: expected an integer of at least 1/)
  await refused('drop 1 --all', /--all: expected nothing beside it that chooses letters/)
  await refused(`export ${'1 '.repeat(1001).trim()}`, /<id>: expected at most 1000 ids, got 1001/)
  await refused('show x', /<id>: expected an integer of at least 1/)
  await refused(`list ${'--id 1 '.repeat(1001).trim()}`, /--id: expected at most 1000 ids, got 1001/)
  await refused('export --all --force', /--force: expected --output beside it/)
  await refused('list --sinc 1d', /unknown option '--sinc'/)
  await refused('list --store /nowhere', /--store: expected a folder with a store in it/)
})

t.test('letters are chosen by their ids alone, as with show', async (t) => {
  const folder = await storeWithLetters(
    t,
    [1, 2, 3, 4].map((id) => letter(id, {})),
  )
  const shown = (await run(folder, 'list', '2', '4', '--json')).stdout.trimEnd().split('\n')
  t.match(
    shown.map((line) => JSON.parse(line) as object),
    [{ id: 2 }, { id: 4 }],
  )
  t.match(await run(folder, 'replay', '1', '2', '--id', '3'), { code: 0, stdout: /^3 dead letters of orders will be/ })
  t.same(await markedIn(folder), [1, 2, 3])
  t.match(JSON.parse((await run(folder, 'export', '4')).stdout), { id: 4 })
  t.match(await run(folder, 'drop', '2', '9'), {
    code: 1,
    stdout: /^1 dead letter of orders deleted/,
    stderr: /no dead letter 9/,
  })
})
