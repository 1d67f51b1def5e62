import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { OutletReport, TransferReport } from '../../src/core/report.js'
import { loadDriver, type DriverName } from '../../src/store/driver.js'
import { Ledger, LEDGER_LIMITS, type LedgerLimits } from '../../src/store/ledger/ledger.js'
import { LedgerReader } from '../../src/store/ledger/ledger-reader.js'
import { storeFiles } from '../../src/store/store-files.js'
import fc, { runsOf } from '../helpers/fast-check.js'
import { captureLogs } from '../helpers/logs.js'
import { builtStore, DRIVERS, isBuilt, StoreProgram } from '../helpers/stores.js'
import { tinyDisk } from '../helpers/tiny-disk.js'

if (!isBuilt) t.bailout('the store is not built: run `npm run build` first')

const HOUR = 3_600_000
const NOON = Date.UTC(2026, 0, 1, 12)
const schedule = { every: 1000, cron: undefined, timeZone: undefined, jitter: 0, alignToClock: false }
const ALL = { links: [], failed: false, limit: 1000 }

function outlet(pushed: number, more: Partial<OutletReport> = {}): OutletReport {
  return { outlet: 'FileOutlet', pushed, filtered: 0, added: 0, dropped: 0, batches: 1, buffered: 0, ...more }
}

let number = 0

function report(link: string, more: Partial<TransferReport> = {}): TransferReport {
  const pulled = more.pulled ?? 10
  return {
    link,
    update: `${link}.${number}`,
    transferNumber: number++,
    thread: 1,
    scheduledAt: NOON,
    startedAt: NOON,
    endedAt: NOON + 5,
    busy: 1.5,
    pulled,
    filtered: 0,
    added: 0,
    dropped: 0,
    buffered: 0,
    grouped: pulled,
    batches: 1,
    rounds: 1,
    outlets: [outlet(pulled)],
    stages: [],
    errors: [],
    failed: false,
    ...more,
  }
}

const ERROR = { name: 'Error', message: 'disk full', node: 'FileOutlet', stage: 'push' } as const

async function ledgerIn(t: Test, folder: string, driver?: DriverName, limits?: LedgerLimits): Promise<Ledger> {
  const ledger = new Ledger(await loadDriver(driver), storeFiles(folder).ledger, limits)
  t.teardown(() => {
    ledger.close()
  })
  return ledger
}

async function readBy<T>(
  driver: DriverName | undefined,
  folder: string,
  work: (reader: LedgerReader) => T,
): Promise<T> {
  const reader = await LedgerReader.open(folder, driver)
  try {
    return work(reader)
  } finally {
    reader.close()
  }
}

for (const driver of DRIVERS) {
  t.test(`a ledger (${driver})`, async (t) => {
    // two libraries of SQLite in one process cannot share a file
    const read = <T>(folder: string, work: (reader: LedgerReader) => T) => readBy(driver, folder, work)
    t.test('has transfers one by one, beside the planner that writes it', async (t) => {
      const folder = t.testdir()
      const ledger = await ledgerIn(t, folder, driver)
      t.equal((statSync(storeFiles(folder).ledger).mode & 0o777).toString(8), '600')
      ledger.addLink('orders', schedule)
      const long = { ...ERROR, message: 'x'.repeat(1000), code: 'ENOSPC', stack: 'at secret' }
      const reports = [
        report('orders', { endedAt: NOON + 5.25 }),
        report('orders', { pulled: 7, grouped: 7, outlets: [outlet(0, { dropped: 7 })], errors: [ERROR, long] }),
      ]
      for (const one of reports) ledger.add(one)
      const drained = report('mail', { pulled: 0, grouped: 3, outlets: [outlet(3)] })
      ledger.addDrain(drained)
      ledger.flush()
      const list = await read(folder, (reader) => reader.transfers(ALL))
      t.match(list, { more: 0, unlisted: 0, keptSince: undefined })
      t.same(
        list.transfers.map(({ seq, link, kind, endedAt }) => [seq, link, kind, endedAt]),
        [
          [1, 'orders', 'transfer', NOON + 5.25],
          [2, 'orders', 'transfer', NOON + 5],
          [3, 'mail', 'drain', NOON + 5],
        ],
      )
      const {
        failed: _failed,
        transferNumber: _number,
        errors: _errors,
        stages: _stages,
        ...kept
      } = reports[0] as TransferReport
      t.same(list.transfers[0], { ...kept, seq: 1, kind: 'transfer', errors: [] })
      const errors = list.transfers[1]?.errors
      t.same(errors, [
        { node: 'FileOutlet', stage: 'push', message: 'disk full' },
        { node: 'FileOutlet', stage: 'push', code: 'ENOSPC', message: `${'x'.repeat(500)}...` },
      ])
      const some = await read(folder, (reader) => ({
        failed: reader.transfers({ ...ALL, failed: true }).transfers.map(({ seq }) => seq),
        mail: reader.transfers({ ...ALL, links: ['mail'] }).transfers.map(({ seq }) => seq),
        last: reader.transfers({ ...ALL, limit: 1 }),
        since: reader.transfers({ ...ALL, since: NOON + 5.1 }).transfers.map(({ seq }) => seq),
        links: reader.links(),
      }))
      t.match(some, { failed: [2], mail: [3], since: [1], links: ['mail', 'orders'] })
      t.match(some.last, { more: 2, transfers: [{ seq: 3 }] })
    })

    t.test('keeps the last transfers one by one, and the sums of all', async (t) => {
      const folder = t.testdir()
      const ledger = await ledgerIn(t, folder, driver, { ...LEDGER_LIMITS, transfers: 5 })
      for (let at = 0; at < 12; at++) {
        ledger.add(report('orders', { endedAt: NOON + at }))
        ledger.flush()
      }
      const { list, lag, check } = await read(folder, (reader) => ({
        list: reader.transfers(ALL),
        lag: reader.lag(),
        check: reader.check(),
      }))
      t.equal(list.transfers.length, 5)
      t.equal(list.keptSince, NOON + 7)
      t.match(lag, [{ link: 'orders', transfers: 12, failed: 0, lastSuccessAt: NOON + 11 }])
      t.match(check.balances, [{ link: 'orders', outlet: 'FileOutlet', pulled: 120, delivered: 120, missing: 0 }])
    })

    t.test('keeps the sums of the last hours', async (t) => {
      const folder = t.testdir()
      const ledger = await ledgerIn(t, folder, driver, { ...LEDGER_LIMITS, transfers: 1, hours: 4 })
      for (let at = 0; at < 10; at++) {
        for (const link of ['a', 'b']) ledger.add(report(link, { endedAt: NOON + at * HOUR }))
        ledger.flush()
      }
      ledger.close()
      const check = await read(folder, (reader) => reader.check())
      t.match(check.balances, [
        { link: 'a', pulled: 20, missing: 0 },
        { link: 'b', pulled: 20, missing: 0 },
      ])
      t.equal(check.since, NOON + 8 * HOUR)
    })

    t.test('lists failed transfers first when there are more than it can list, and sums all', async (t) => {
      const folder = t.testdir()
      const ledger = await ledgerIn(t, folder, driver, { ...LEDGER_LIMITS, listed: 10 })
      for (let at = 0; at < 30; at++) ledger.add(report('a', at % 10 === 0 ? { errors: [ERROR] } : {}))
      ledger.flush()
      const { list, lag } = await read(folder, (reader) => ({ list: reader.transfers(ALL), lag: reader.lag() }))
      t.equal(list.transfers.length, 10)
      t.equal(list.transfers.filter(({ errors }) => errors.length > 0).length, 3)
      t.equal(list.unlisted, 20)
      t.match(lag, [{ transfers: 30, failed: 3 }])
    })

    t.test('says since when a link fails, also over hours and processes', async (t) => {
      const folder = t.testdir()
      const failing = { errors: [ERROR] }
      let ledger = await ledgerIn(t, folder, driver)
      ledger.addLink('orders', schedule)
      ledger.addLink('idle', schedule)
      ledger.add(report('orders', { endedAt: NOON }))
      ledger.add(report('orders', { endedAt: NOON + 1, ...failing }))
      ledger.add(report('old', { endedAt: NOON + 1, ...failing }))
      ledger.close()
      ledger = await ledgerIn(t, folder, driver)
      ledger.addLink('orders', schedule)
      ledger.addLink('gone', schedule)
      ledger.removeLink('gone')
      ledger.add(report('orders', { endedAt: NOON + HOUR, scheduledAt: NOON + HOUR - 5, ...failing }))
      ledger.flush()
      const lag = await read(folder, (reader) => reader.lag())
      t.match(lag, [
        { link: 'old', lastSuccessAt: undefined, failingSince: NOON + 1, planned: undefined },
        {
          link: 'orders',
          lastSuccessAt: NOON,
          failingSince: NOON + 1,
          lastScheduledAt: NOON + HOUR - 5,
          transfers: 3,
          failed: 2,
          planned: { schedule: { every: 1000 } },
        },
      ])
      ledger.add(report('orders', { endedAt: NOON + HOUR + 2 }))
      ledger.flush()
      const [orders] = await read(folder, (reader) => reader.lag(['orders']))
      t.match(orders, { lastSuccessAt: NOON + HOUR + 2, failingSince: undefined })
    })

    t.test('that is deleted while it is written begins again', async (t) => {
      const folder = t.testdir()
      const file = storeFiles(folder).ledger
      const ledger = await ledgerIn(t, folder, driver)
      ledger.addLink('orders', schedule)
      ledger.add(report('orders'))
      ledger.flush()
      for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
      ledger.add(report('orders'))
      ledger.flush()
      const { list, lag } = await read(folder, (reader) => ({ list: reader.transfers(ALL), lag: reader.lag() }))
      t.match(
        list.transfers.map(({ seq }) => seq),
        [1],
      )
      t.match(lag, [{ link: 'orders', transfers: 1, planned: { link: 'orders' } }])
      rmSync(file)
      ledger.add(report('orders'))
      ledger.flush()
      t.equal((await read(folder, (reader) => reader.transfers(ALL))).transfers.length, 1, 'the file alone is deleted')
    })

    t.test('of a newer databay, or another database, is left alone', async (t) => {
      for (const sql of ['PRAGMA user_version=2', 'CREATE TABLE other(x)']) {
        const folder = t.testdir()
        const file = storeFiles(folder).ledger
        rmSync(file, { force: true })
        const made = (await loadDriver(driver)).open(file)
        made.exec(sql)
        made.close()
        const logs = captureLogs(t)
        const ledger = await ledgerIn(t, folder, driver)
        ledger.add(report('orders'))
        ledger.flush()
        ledger.close()
        t.equal(logs.messages().length, 1)
        t.match(logs.messages()[0], /ledger\.db: .*: transfers are not written to it$/)
        await t.rejects(
          read(folder, (reader) => reader.links()),
          { code: 'DATABAY_STORE_VERSION' },
        )
      }
    })

    t.test('that is no database is put aside, and begins again', async (t) => {
      const folder = t.testdir()
      const file = storeFiles(folder).ledger
      writeFileSync(file, 'no database'.repeat(100))
      await t.rejects(
        read(folder, (reader) => reader.links()),
        { code: 'DATABAY_STORE_CORRUPT' },
      )
      const logs = captureLogs(t)
      const ledger = await ledgerIn(t, folder, driver)
      ledger.add(report('orders'))
      ledger.flush()
      t.equal((await read(folder, (reader) => reader.transfers(ALL))).transfers.length, 1)
      t.ok(existsSync(`${file}.damaged`))
      t.match(logs.messages(), [/^the ledger is damaged, and begins again: it is now .*ledger\.db\.damaged/])
    })

    t.test('that is locked is logged once, and written when it is free', async (t) => {
      const folder = t.testdir()
      const logs = captureLogs(t)
      const ledger = await ledgerIn(t, folder, driver, { ...LEDGER_LIMITS, listed: 3 })
      ledger.add(report('orders'))
      ledger.flush()
      const other = (await loadDriver(driver)).open(storeFiles(folder).ledger)
      other.exec('BEGIN IMMEDIATE')
      for (let at = 0; at < 5; at++) {
        ledger.add(report('orders'))
        ledger.flush()
      }
      t.match(logs.messages(), [/^the ledger cannot be written now, and links run on: .*locked/])
      other.exec('ROLLBACK')
      other.close()
      ledger.flush()
      const { list, lag } = await read(folder, (reader) => ({ list: reader.transfers(ALL), lag: reader.lag() }))
      t.equal(list.transfers.length, 4)
      t.equal(list.unlisted, 2)
      t.match(lag, [{ transfers: 6 }], 'what was not listed is in the sums')
    })

    t.test('survives SIGKILL in the middle of writing', { timeout: 60_000 }, async (t) => {
      const folder = t.testdir()
      const program = `
        import { Ledger } from '${builtStore('ledger/ledger.js')}'
        import { loadDriver } from '${builtStore('driver.js')}'
        const ledger = new Ledger(await loadDriver('${driver}'), folder + '/ledger.db')
        const base = ${JSON.stringify(report('x'))}
        for (let at = 0; ; at++) {
          for (let link = 0; link < 50; link++) ledger.add({ ...base, link: 'link' + link, endedAt: Date.now() })
          ledger.flush()
          say(at)
        }`
      let before = 0
      for (let kill = 0; kill < 5; kill++) {
        const running = new StoreProgram(t, folder, program)
        await running.until(3 + kill * 7)
        await running.kill()
        t.equal(running.stderr, '')
        const { list, lag, check } = await read(folder, (reader) => ({
          list: reader.transfers({ ...ALL, limit: 1_000_000 }),
          lag: reader.lag(),
          check: reader.check(),
        }))
        const count = list.transfers.length
        t.ok(count >= before + running.lines.length * 50, `${count} transfers`)
        t.equal(count % 50, 0, 'no write is there in part')
        t.equal(
          lag.reduce((sum, { transfers }) => sum + transfers, 0),
          count,
          'each is in the sums once',
        )
        t.ok(check.balances.every(({ missing }) => missing === 0))
        before = count
      }
    })
  })
}

t.test('a ledger on a full disk is logged, and is written again when there is room', async (t) => {
  const disk = tinyDisk(t, 600)
  if (disk === undefined) {
    t.comment('no disk could be mounted')
    return
  }
  // in a process of its own: libsql closes its files some time after it was asked to, which keeps the disk in use
  const program = new StoreProgram(
    t,
    disk,
    `
    import { rmSync, writeFileSync } from 'node:fs'
    import { Ledger } from '${builtStore('ledger/ledger.js')}'
    import { LedgerReader } from '${builtStore('ledger/ledger-reader.js')}'
    import { loadDriver } from '${builtStore('driver.js')}'
    import { setLogDestination } from '${builtStore('../base/log.js')}'
    const logs = []
    setLogDestination({ write: (line) => logs.push(JSON.parse(line).msg) })
    const report = ${JSON.stringify(report('orders'))}
    const ledger = new Ledger(await loadDriver(), folder + '/ledger.db')
    ledger.add(report)
    ledger.flush()
    const ballast = folder + '/ballast'
    for (let size = 600; size > 0; size -= 8) {
      try {
        writeFileSync(ballast, Buffer.alloc(size * 1024))
        break
      } catch {
        rmSync(ballast)
      }
    }
    for (let at = 0; at < 500; at++) ledger.add(report)
    ledger.flush()
    ledger.flush()
    say(logs)
    rmSync(ballast)
    ledger.add(report)
    ledger.flush()
    const reader = await LedgerReader.open(folder)
    say([reader.lag()[0].transfers, reader.transfers({ links: [], failed: false, limit: 9999 }).transfers.length])
    say(logs.length)`,
  )
  await program.ended
  t.equal(program.stderr, '')
  t.match(program.lines, [[/^the ledger cannot be written now, and links run on: .*full/], [502, 502], 1])
})

t.test('check says how many records are missing', async (t) => {
  const folder = t.testdir()
  const ledger = await ledgerIn(t, folder)
  // 10 pulled, 4 of them held; the process is killed, and 6 more are delivered
  ledger.add(report('lossy', { grouped: 6, buffered: 4, outlets: [outlet(6)] }))
  ledger.add(report('lossy', { pulled: 6, grouped: 6, outlets: [outlet(6)] }))
  // an outlet holds 3
  ledger.add(report('holds', { outlets: [outlet(7, { buffered: 3 })] }))
  // the buffer is full when the ledger begins; a thread is lost in between
  ledger.add(report('begins', { pulled: 0, grouped: 5, outlets: [outlet(5)] }))
  ledger.add(report('begins', { pulled: 0, grouped: 0, outlets: [], errors: [ERROR], rounds: 0 }))
  // two outlets of one name, and one that comes later
  const two = [outlet(10), outlet(4, { dropped: 6 })]
  ledger.add(report('two', { outlets: two }))
  ledger.add(report('two', { outlets: [...two, outlet(10, { outlet: 'Late' })] }))
  // links that share an outlet with a buffer
  ledger.add(report('puts', { outlets: [outlet(0, { outlet: 'Shared', buffered: 10 })] }))
  ledger.add(report('puts', { pulled: 0, grouped: 0, outlets: [outlet(0, { outlet: 'Shared', buffered: 0 })] }))
  ledger.add(report('takes', { pulled: 0, grouped: 0, outlets: [outlet(0, { outlet: 'Shared', buffered: 10 })] }))
  ledger.flush()
  const look = () => readBy(undefined, folder, (reader) => reader.check().balances)
  const balances = await look()
  t.match(
    balances.map(({ link, outlet, missing }) => [link, outlet, missing]),
    [
      ['begins', 'FileOutlet', 0],
      ['holds', 'FileOutlet', 0],
      ['lossy', 'FileOutlet', 4],
    ],
  )
  t.same(
    balances.filter(({ link }) => link === 'two').map(({ outlet, pulled, missing }) => [outlet, pulled, missing]),
    [
      ['FileOutlet', 20, 0],
      ['FileOutlet', 20, 0],
      ['Late', 10, 0],
    ],
  )
  ledger.close()
  t.same(await look(), balances, 'by the sums alone')
})

t.test('records balance over any cuts into writes, hours and processes, but for what a kill takes', async (t) => {
  const step = fc.record({
    pulled: fc.nat(20),
    filtered: fc.nat(3),
    holds: fc.nat(5),
    hour: fc.constantFrom(0, 0, 0, 1),
    then: fc.constantFrom('go on', 'go on', 'write', 'restart', 'kill'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const folder = t.testdir()
      const driver = await loadDriver()
      const file = storeFiles(folder).ledger
      for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
      let ledger = new Ledger(driver, file, { ...LEDGER_LIMITS, transfers: 3 })
      let [held, lost, at] = [0, 0, NOON]
      for (const { pulled, filtered, holds, hour, then } of steps) {
        const all = pulled + held
        const gone = Math.min(filtered, all)
        const buffered = Math.min(holds, all - gone)
        const grouped = all - gone - buffered
        at += hour * HOUR + 1
        ledger.add(report('a', { pulled, filtered: gone, buffered, grouped, outlets: [outlet(grouped)], endedAt: at }))
        held = buffered
        if (then === 'write') ledger.flush()
        if (then === 'restart' || then === 'kill') {
          ledger.close()
          ledger = new Ledger(driver, file, { ...LEDGER_LIMITS, transfers: 3 })
        }
        if (then !== 'kill') continue
        lost += held
        held = 0
      }
      ledger.close()
      const balances = await readBy(undefined, folder, (reader) => reader.check().balances)
      const missing = balances[0]?.missing ?? 0
      // what the last kill took shows with the next transfer
      const last = steps.at(-1)
      const unseen = last?.then === 'kill' ? (balances[0]?.held ?? 0) : 0
      if (missing !== lost - unseen) throw new Error(`${missing} are missing, not ${lost - unseen}`)
    }),
    { numRuns: runsOf(30) },
  )
})

/** The report of a try while an outlet is down. */
function down(waiting: number, more: Partial<TransferReport> = {}): TransferReport {
  const blocked = { ...ERROR, attempts: 2, since: NOON, retryAt: NOON + 1000 }
  return report('orders', {
    pulled: 0,
    errors: [ERROR],
    outlets: [outlet(10), outlet(0, { waiting })],
    blocked,
    ...more,
  })
}

t.test('tries of a blocked link are kept, and count as failed', async (t) => {
  const folder = t.testdir()
  const ledger = await ledgerIn(t, folder)
  ledger.addLink('orders', schedule, true)
  ledger.add(down(10, { pulled: 10, grouped: 10 }))
  ledger.add(down(10, { errors: [], outlets: [outlet(0), outlet(0, { waiting: 10 })] }))
  ledger.add(report('orders', { pulled: 0, outlets: [outlet(0), outlet(8, { dead: 2 })], dead: 1, replayed: 1 }))
  ledger.flush()
  const { transfers } = await readBy(undefined, folder, (reader) => reader.transfers({ ...ALL, failed: true }))
  t.match(transfers, [
    { blocked: { node: 'FileOutlet', attempts: 2 }, outlets: [{}, { waiting: 10 }], durable: true },
    { blocked: { attempts: 2 }, errors: [] },
  ])
  t.equal(transfers.length, 2)
  const all = await readBy(undefined, folder, (reader) => reader.transfers(ALL))
  t.match(all.transfers.at(-1), { dead: 1, replayed: 1 })
})

t.test('dead letters, replays and what waits are in the balance', async (t) => {
  const folder = t.testdir()
  const ledger = await ledgerIn(t, folder)
  ledger.addLink('orders', schedule, true)
  ledger.add(down(10, { pulled: 12, grouped: 10, dead: 2 }))
  const look = () => readBy(undefined, folder, (reader) => reader.check().balances)
  ledger.flush()
  t.match(await look(), [
    { pulled: 12, dead: 2, delivered: 10, waiting: 0, missing: 0 },
    { pulled: 12, dead: 2, delivered: 0, waiting: 10, missing: 0 },
  ])
  const outlets = [outlet(1), outlet(9, { dead: 3, replayed: 1 })]
  ledger.add(report('orders', { pulled: 0, replayed: 2, dead: 1, grouped: 1, outlets }))
  ledger.flush()
  t.match(await look(), [
    { pulled: 12, replayed: 2, dead: 3, delivered: 11, waiting: 0, missing: 0 },
    { pulled: 12, replayed: 3, dead: 6, delivered: 9, waiting: 0, missing: 0 },
  ])
})

for (const isDurable of [true, false]) {
  t.test(`what is gone from memory is ${isDurable ? 'pulled again with delivery' : 'missing without'}`, async (t) => {
    const folder = t.testdir()
    const one = await ledgerIn(t, folder)
    one.addLink('orders', schedule, isDurable)
    one.add(down(10, { pulled: 10, grouped: 10 }))
    one.close() // as if the process was killed
    const ledger = await ledgerIn(t, folder)
    ledger.addLink('orders', schedule, isDurable)
    ledger.add(report('orders', { outlets: [outlet(6, { buffered: 4 }), outlet(10)] }))
    ledger.add(report('orders', { pulled: 4, outlets: [outlet(4), outlet(4)], endedAt: NOON + HOUR }))
    ledger.close()
    const balances = await readBy(undefined, folder, (reader) => reader.check().balances)
    t.match(
      balances.map(({ pulled, delivered, missing }) => ({ pulled, delivered, missing })),
      isDurable
        ? [
            { pulled: 20, delivered: 20, missing: 0 },
            { pulled: 14, delivered: 14, missing: 0 },
          ]
        : [
            { pulled: 24, delivered: 20, missing: 4 },
            { pulled: 24, delivered: 14, missing: 10 },
          ],
    )
  })
}
