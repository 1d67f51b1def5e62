import t, { type Test } from 'tap'
import { databay } from '../../../src/cli/databay.js'
import { loadDriver } from '../../../src/store/driver.js'
import { Ledger } from '../../../src/store/ledger/ledger.js'
import { storeFiles } from '../../../src/store/store-files.js'
import { ownStore } from '../../../src/store/store.js'
import { fakeContext } from '../../helpers/command.js'

const schedule = { every: 60_000, cron: undefined, timeZone: undefined, jitter: 0, alignToClock: false }
const nightly = { ...schedule, every: undefined, cron: '0 2 * * *', timeZone: 'UTC' }

async function run(argv: readonly string[], env: { [name: string]: string } = {}) {
  const context = fakeContext(['ledger', ...argv], { env })
  const { code } = await databay(context)
  return { code, stdout: context.stdout.text, stderr: context.stderr.text }
}

/** Makes a store with a ledger: `orders` has failed once since its last success an hour ago, `mail` has lost records. */
async function storeIn(t: Test): Promise<string> {
  const folder = t.testdir()
  const owned = await ownStore(folder)
  owned.release()
  const ledger = new Ledger(await loadDriver(), storeFiles(folder).ledger)
  const now = Date.now()
  const base = {
    transferNumber: 0,
    thread: 1,
    busy: 1,
    filtered: 0,
    added: 0,
    batches: 1,
    rounds: 1,
    stages: [],
    failed: false,
  }
  const add = (link: string, at: number, pushed: number, dropped: number, held = 0) => {
    const outlet = { outlet: 'FileOutlet', pushed, filtered: 0, added: 0, dropped, batches: 1, buffered: 0 }
    const error = {
      name: 'Error',
      message: 'no space\nleft',
      node: 'FileOutlet',
      stage: 'push',
      code: 'ENOSPC',
    } as const
    const counts = { pulled: 10, grouped: pushed + dropped, dropped: 0, buffered: held, outlets: [outlet] }
    const times = { scheduledAt: at - 20, startedAt: at - 12, endedAt: at }
    ledger.add({ ...base, link, update: `${link}.1`, ...times, ...counts, errors: dropped > 0 ? [error] : [] })
  }
  ledger.addLink('orders', schedule)
  ledger.addLink('nightly', nightly)
  add('orders', now - 3_600_000, 10, 0)
  add('mail', now - 2000, 6, 0, 4)
  add('orders', now - 1000, 0, 10)
  add('mail', now - 500, 10, 0)
  ledger.close()
  return folder
}

t.test('lists transfers, the newest last', async (t) => {
  const folder = await storeIn(t)
  const all = await run(['--store', folder])
  t.match(all, { code: 0, stderr: '' })
  const lines = all.stdout.trimEnd().split('\n')
  t.match(lines, [
    /^time +link +update +took +pulled +pushed +dropped +error$/,
    / orders +orders\.1 +12 ms +10 +FileOutlet 10 +0$/,
    / mail +mail\.1 +12 ms +10 +FileOutlet 6 +0$/,
    / orders +orders\.1 +12 ms +10 +FileOutlet 0 +10 +FileOutlet failed to push: no space/,
    / mail +mail\.1 /,
  ])
  t.equal(lines.length, 5)
  const some = async (...argv: string[]) => (await run(argv, { DATABAY_STORE: folder })).stdout.split('\n').length - 2
  t.equal(await some('--link', 'orders'), 2)
  t.equal(await some('--link', 'orders', '--link', 'mail'), 4)
  t.equal(await some('--failed'), 1)
  t.equal(await some('--since', '10min'), 3)
  t.equal(await some('--since', '2020-01-01'), 4)
  const last = await run(['--limit', '1', '--store', folder])
  t.match(last.stdout, /\n\n3 more before: see --limit\n$/)
  const json = await run(['--failed', '--json', '--store', folder])
  t.match(JSON.parse(json.stdout), { more: 0, transfers: [{ link: 'orders', errors: [{ code: 'ENOSPC' }] }] })
  t.match(await run(['--since', '0.001s', '--store', folder]), { code: 0, stdout: 'no transfers\n' })
})

t.test('lag says since when links have had no success', async (t) => {
  const folder = await storeIn(t)
  const { code, stdout, stderr } = await run(['lag', '--store', folder])
  t.match({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout.trimEnd().split('\n'), [
    /^link +last success +age +due +failing since$/,
    /^mail +.*\d\d:\d\d:\d\d +(\d+ ms|\d\.\d s)$/,
    /^nightly +never +.*\d\d:\d\d:00$/,
    /^orders +.*\d\d:\d\d:\d\d +1 h +.*\d\d:\d\d:\d\d +.*\d\d:\d\d:\d\d$/,
  ])
  const { links } = JSON.parse((await run(['lag', '--json', '--link', 'orders', '--store', folder])).stdout) as {
    links: { link: string; age: number; dueAt: number; failingSince: number; lastScheduledAt: number }[]
  }
  t.equal(links.length, 1)
  t.match(links[0], { link: 'orders', transfers: 2, failed: 1 })
  t.ok((links[0]?.age ?? 0) >= 3_600_000)
  t.equal(links[0]?.dueAt, (links[0]?.lastScheduledAt ?? 0) + 60_000)
})

t.test('lag says what blocks a link, and when it is tried again', async (t) => {
  const folder = await storeIn(t)
  const ledger = new Ledger(await loadDriver(), storeFiles(folder).ledger)
  const now = Date.now()
  const failed = { node: 'Shop', stage: 'push', message: 'it is down' } as const
  const report = (update: number, blocked?: object) => ({
    ...{
      link: 'orders',
      update: `orders.${update}`,
      transferNumber: update,
      thread: 1,
      busy: 1,
      batches: 1,
      rounds: 1,
    },
    ...{ pulled: 0, added: 0, filtered: 0, dropped: 0, grouped: 0, buffered: 0, errors: [], failed: false },
    ...{ scheduledAt: now, startedAt: now, endedAt: now, stages: [] },
    outlets: [
      { outlet: 'Mail', pushed: 0, filtered: 0, added: 0, dropped: 0, batches: 0, buffered: 0 },
      { outlet: 'Shop', pushed: 0, filtered: 0, added: 0, dropped: 0, batches: 1, buffered: 0, waiting: 12 },
    ],
    ...(blocked && { blocked: { ...failed, attempts: 3, since: now - 5000, retryAt: now + 60_000 } }),
  })
  ledger.add(report(2, failed))
  ledger.close()
  const { code, stdout } = await run(['lag', '--store', folder])
  const lines = stdout.trimEnd().split('\n')
  t.equal(code, 0)
  t.match(lines[0], /failing since +blocked$/)
  t.notMatch(lines[1], 'try')
  t.match(lines[2], /^orders .* try 3, 12 records waiting: Shop failed to push: it is down$/)
  const { links } = JSON.parse((await run(['lag', '--json', '--link', 'orders', '--store', folder])).stdout) as {
    links: { dueAt: number; waiting: number; blocked: { attempts: number } }[]
  }
  t.match(links, [{ dueAt: now + 60_000, waiting: 12, blocked: { attempts: 3 } }])
  const later = new Ledger(await loadDriver(), storeFiles(folder).ledger)
  later.add(report(3))
  later.close()
  t.notMatch((await run(['lag', '--store', folder])).stdout, 'blocked', 'a link that goes on is not blocked')
})

t.test('check says which records are missing, and exits with 1', async (t) => {
  const folder = await storeIn(t)
  const { code, stdout, stderr } = await run(['check', '--store', folder])
  t.equal(code, 1)
  t.match(stdout.trimEnd().split('\n'), [
    /^link +outlet +pulled +added +filtered +dropped +delivered +held +missing$/,
    /^mail +FileOutlet +20 +0 +0 +0 +16 +0 +4$/,
    /^orders +FileOutlet +20 +0 +0 +10 +10 +0 +0$/,
    '',
    /^1 outlet out of balance, since /,
  ])
  t.equal(stderr, 'databay: mail, FileOutlet: 4 records missing: held by a buffer whose process or thread was lost\n')
  const orders = await run(['check', '--link', 'orders', '--json', '--store', folder])
  t.equal(orders.code, 0)
  t.match(JSON.parse(orders.stdout), { balances: [{ link: 'orders', missing: 0 }] })
})

t.test('bad arguments are told, with what was meant', async (t) => {
  const folder = await storeIn(t)
  const refused = async (argv: readonly string[], message: RegExp, env: { [name: string]: string } = {}) => {
    const { code, stdout, stderr } = await run(argv, { DATABAY_STORE: folder, ...env })
    t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: message })
  }
  await refused(['lagg'], /^databay: ledger: expected lag, check, or nothing, got 'lagg': did you mean lag\?\n$/)
  await refused(['--link', 'order'], /^databay: --link: expected .* got 'order': did you mean orders\?\n$/)
  await refused(['check', '--link', 'order'], /did you mean orders\?\n$/)
  await refused(
    ['--since', 'yesterday'],
    /^databay: --since: expected a length of time such as 90s, .* got 'yesterday'\n$/,
  )
  await refused(['--limit', '0'], /^databay: --limit: expected an integer of at least 1, got '0'\n$/)
  await refused(['--faild'], /unknown option '--faild'/)
  await refused(['lag', '--failed'], /^databay: --failed: expected the list alone: lag and check do not take it/)
  await refused([], /, got '\.\/\.databay': that is the default, name yours or set DATABAY_STORE\n$/, {
    DATABAY_STORE: '',
  })
  await refused(
    ['--store', `${folder}x`],
    /^databay: --store: expected a folder with a store in it, got .*: did you mean /,
  )
  await refused([], /^databay: DATABAY_STORE: expected a folder with a store in it/, { DATABAY_STORE: `${folder}/no` })
})

t.test('a store without a ledger says who writes it', async (t) => {
  const folder = t.testdir()
  const owned = await ownStore(folder)
  owned.release()
  const { code, stdout, stderr } = await run(['--json', '--store', folder])
  t.equal(code, 1)
  t.match(JSON.parse(stdout), { error: { code: 'DATABAY_STORE' } })
  t.match(stderr, /ledger\.db: there is no ledger yet: a planner with this store writes it, once a second\n$/)
})
