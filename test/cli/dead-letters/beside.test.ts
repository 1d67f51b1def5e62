/** Commands on dead letters while another process owns the store, and writes to it. */
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { databay } from '../../../src/cli/databay.js'
import { DeadLetters } from '../../../src/store/dead-letters.js'
import { checkStore } from '../../../src/store/check.js'
import { ownStore, readStore } from '../../../src/store/store.js'
import { fakeContext, MAIN } from '../../helpers/command.js'
import { letter, storeWithLetters } from '../../helpers/dead-letters.js'
import { builtStore, isBuilt, StoreProgram } from '../../helpers/stores.js'

const skip = isBuilt ? false : 'it is not built'

/** Runs a command in a process of its own. */
async function command(folder: string, ...argv: readonly string[]) {
  const { NODE_OPTIONS: _options, ...env } = process.env
  const child = spawn(process.execPath, [MAIN, 'dead-letters', ...argv, '--store', folder], { env })
  const text = { stdout: '', stderr: '' }
  child.stdout.on('data', (data) => (text.stdout += String(data)))
  child.stderr.on('data', (data) => (text.stderr += String(data)))
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...text }
}

/** An owner that adds letters, and at each turn delivers those that are marked: every third is refused again. */
const OWNER = `
  const { LinkStore } = await import('${builtStore('link-store.js')}')
  const { encodeRecords } = await import('${builtStore('codec.js')}')
  const { Record } = await import('${builtStore('../core/record.js')}')
  const { store, release } = await ownStore(folder)
  const link = await LinkStore.open(store, 'orders')
  const error = { name: 'Error', message: 'refused' }
  const base = { stage: 'push', node: 'HttpOutlet', place: 'outlet:0', outlet: 'HttpOutlet', attempts: 1, error }
  let stopped = false
  process.stdin.on('data', () => { stopped = true })
  const done = []
  let n = 0
  for (let turn = 0; !stopped || link.deadLetters.marked('orders').length > 0; turn++) {
    const marked = link.deadLetters.marked('orders', 0, 50)
    const dead = stopped ? [] : [0, 1, 2].map(() => ({
      ...base, at: Date.now(), group: 'u' + Math.floor(n / 6), body: encodeRecords([new Record({ n: n++ })]),
    }))
    const tried = marked.filter((id) => id % 3 === 0 && link.deadLetters.read(id)?.attempts === 1)
    const deadDone = marked.filter((id) => !tried.includes(id))
    const deadTried = tried.map((id) => ({ id, attempts: 2, error, at: Date.now() }))
    await link.commit({ dead, deadDone, deadTried })
    done.push(...deadDone)
    if (turn === 20) say('ready')
  }
  say({ n, done })
  release()
`

t.test('letters are marked beside the commits of the process that owns the store', { skip }, async (t) => {
  const folder = t.testdir()
  const owner = new StoreProgram(t, folder, OWNER)
  await owner.until(1)
  t.same(owner.lines, ['ready'], owner.stderr)
  for (let round = 0; round < 2; round++) {
    const [replayed, listed, exported] = await Promise.all([
      command(folder, 'replay', '--link', 'orders', '--json'),
      command(folder, 'list'),
      command(folder, 'export', '--all'),
    ])
    t.match(replayed, { code: 0, stderr: '' })
    t.ok((JSON.parse(replayed.stdout) as { marked: number }).marked > 0)
    t.match(listed, { code: 0, stderr: '' })
    t.match(exported, { code: 0, stderr: '' })
  }
  await t.rejects(ownStore(folder), { code: 'DATABAY_STORE_OWNED' }, 'the owner has its lock still')
  owner.write('stop')
  await owner.until(2)
  const [, { n, done }] = owner.lines as [string, { n: number; done: number[] }]
  t.match(await owner.ended, { code: 0 }, owner.stderr)
  const database = await readStore(folder)
  const left = new DeadLetters(database).list({ limit: n }).map(({ id }) => id)
  database.close()
  t.ok(done.length > 0)
  t.equal(new Set(done).size, done.length, 'none was delivered twice')
  t.same(
    [...done, ...left].sort((a, b) => a - b),
    Array.from({ length: n }, (_, at) => at + 1),
    'none is lost',
  )
  t.same((await checkStore(folder)).problems, [])
})

t.test('commands in the process of the owner leave its lock', { skip }, async (t) => {
  const folder = await storeWithLetters(t, [letter(1), letter(2)])
  const { release } = await ownStore(folder)
  for (const argv of [
    ['list'],
    ['show', '1'],
    ['replay', '--id', '1'],
    ['drop', '--id', '2'],
    ['export', '--all', '--output', join(t.testdirName, 'dead.jsonl')],
  ]) {
    const context = fakeContext(['dead-letters', ...argv, '--store', folder])
    t.equal((await databay(context)).code, 0, context.stderr.text)
    const other = new StoreProgram(t, folder, `await ownStore(folder).catch(({ code }) => say(code))`)
    await other.until(1)
    t.same(other.lines, ['DATABAY_STORE_OWNED'], argv[0] ?? '')
    await other.ended
  }
  release()
})

t.test('an export of many letters stays small, and ends when its reader does', { skip }, async (t) => {
  const payload = 'x'.repeat(5000)
  const folder = await storeWithLetters(
    t,
    Array.from({ length: 6000 }, (_, n) => letter({ n, payload })),
  )
  const { NODE_OPTIONS: _options, ...env } = process.env
  const args = ['--max-old-space-size=32', MAIN, 'dead-letters', 'export', '--all', '--store', folder]
  const all = spawn(process.execPath, args, { env })
  let lines = 0
  createInterface({ input: all.stdout }).on('line', () => lines++)
  const [code] = (await once(all, 'close')) as [number]
  t.match({ code, lines }, { code: 0, lines: 6000 })
  const cut = spawn(process.execPath, args, { env })
  cut.stdout.once('data', () => cut.stdout.destroy())
  t.same(await once(cut, 'close'), [0, null])
})
