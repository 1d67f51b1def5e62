import { renameSync, rmSync, statSync } from 'node:fs'
import { toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { Repeats } from '../../base/repeats.js'
import type { TransferReport } from '../../core/report.js'
import type { Schedule } from '../../core/schedule.js'
import { loadDriver, type Driver } from '../driver.js'
import { StoreCorruptError, StoreVersionError } from '../errors.js'
import { inTransaction, storeError, type Database, type Row, type Statement } from '../sqlite.js'
import { addSums, addTransfer, hourOf, noSums, type HourSums, type SummedReport } from './hour-sums.js'
import { openLedger } from './ledger-database.js'
import { INSERT_TRANSFER, putTransfer, sumsOf, unlistedIn, unsummed } from './ledger-rows.js'

/** Limits of a ledger. */
export interface LedgerLimits {
  /** Transfers that are kept one by one; of older ones there are the sums of their hours. */
  readonly transfers: number
  /** Sums of hours that are kept: one for each link and hour with a transfer. */
  readonly hours: number
  /**
   * Transfers that are written one by one in a second, or wait while nothing can be written: failed ones first, then the last
   * ones. Further ones are in the sums alone.
   */
  readonly listed: number
}

/** Limits of every ledger: its file takes some 100 MB at most. */
export const LEDGER_LIMITS: LedgerLimits = { transfers: 100_000, hours: 200_000, listed: 4000 }

/** Time between two writes, in milliseconds. */
const INTERVAL = 1000
/** Number of writes in which all sums that have changed are written: some of them with each. */
const SPREAD = 30
/** Least number of sums that are written with each. */
const LEAST_SUMS = 20

/** A part of the ledger that waits to be written: sums, and the first transfer that they have and the file has not. */
type Dirty = Map<HourSums, number>

/**
 * Writes what transfers did, for people to read: once a second, on the main thread, from the reports that it gets anyway. For
 * a transfer, that costs a push to a list. Nothing waits for it, and what fails is logged and disturbs nothing else.
 *
 * ```
 *   add(report) ---> list ---once a second---> table transfer   the last ones, one by one
 *                            +---> sums ---> table hour       all, by link and hour; some sums with each write
 * ```
 *
 * Sums may be behind their transfers: each row of `hour` has the number of the last transfer that is in it. So a process that
 * is killed loses what it has not written of the last second, and the next one takes up the sums where they are.
 */
export class Ledger {
  readonly #driver: Driver
  readonly #file: string
  readonly #limits: LedgerLimits
  readonly #timer: NodeJS.Timeout
  #waiting: TransferReport[] = []
  /** Number of those, from the first one on, that are in the sums. */
  #summed = 0
  /** Those of the list that only drained buffers. */
  readonly #drains = new Set<TransferReport>()
  /** Links of the planner, and when each is due. */
  readonly #links = new Map<string, Schedule>()
  /** Names of those that have `delivery`. */
  readonly #durable = new Set<string>()
  #linksChanged = true
  /** Sums of the hour that runs, by link. */
  readonly #sums = new Map<string, HourSums>()
  readonly #dirty: Dirty = new Map()
  /** Sums that are to be added to those which the file has of their hour. */
  readonly #unmerged = new Set<HourSums>()
  #open: Open | undefined
  /** Number of the last transfer that is written. */
  #lastSeq = 0
  #troubles = new Repeats()
  /** Transfers that were not written one by one. */
  #unlisted = 0
  /** Whether the transfers that were not in the sums of the file have been added. */
  #hasTakenUp = false
  /** Whether this ledger is not written any more, as its file is of a newer databay. */
  #isOff = false

  constructor(driver: Driver, file: string, limits: LedgerLimits = LEDGER_LIMITS) {
    this.#driver = driver
    this.#file = file
    this.#limits = limits
    this.#write()
    this.#timer = setInterval(() => {
      this.#write()
    }, INTERVAL)
    this.#timer.unref()
  }

  /** Opens the ledger in a file, and makes it where there is none. What fails is logged. */
  static async open(file: string): Promise<Ledger> {
    return new Ledger(await loadDriver(), file)
  }

  /** Takes the report of a transfer that has ended. */
  add(report: TransferReport): void {
    this.#waiting.push(report)
  }

  /** Takes the report of a transfer that only drained buffers. */
  addDrain(report: TransferReport): void {
    this.#drains.add(report)
    this.#waiting.push(report)
  }

  /** Takes note of a link of the planner, and whether it has `delivery`. */
  addLink(name: string, schedule: Schedule, isDurable = false): void {
    this.#links.set(name, schedule)
    if (isDurable) this.#durable.add(name)
    else this.#durable.delete(name)
    this.#linksChanged = true
  }

  /** Takes note that a link has left the planner. */
  removeLink(name: string): void {
    this.#linksChanged = this.#links.delete(name) || this.#linksChanged
  }

  /** Writes what waits now, as the timer does. */
  flush(): void {
    this.#write()
  }

  /** Writes what waits, with all sums, and closes the file. To close twice is once. */
  close(): void {
    clearInterval(this.#timer)
    this.#write(true)
    this.#isOff = true
    this.#shut()
    this.#troubles.end((failures, time) => {
      getLogger('databay.Ledger').warn(`${this.#file} could not be written ${failures} times in ${time}`)
    })
  }

  #write(all = false): void {
    if (this.#isOff) {
      this.#forget()
      return
    }
    try {
      const open = this.#opened()
      if (this.#waiting.length === 0 && this.#dirty.size === 0 && !this.#linksChanged) return
      this.#writeTo(open, all)
      this.#recovered()
    } catch (thrown) {
      this.#failed(storeError(thrown, this.#file))
    }
  }

  #writeTo(open: Open, all: boolean): void {
    const { database } = open
    this.#limitList()
    const reports = this.#waiting
    const firstSeq = this.#lastSeq + 1
    const lastSeq = this.#lastSeq + reports.length
    // a write that fails is made again, but a transfer is added once
    for (; this.#summed < reports.length; this.#summed++) {
      this.#sum(reports[this.#summed] as TransferReport, firstSeq + this.#summed)
    }
    const written = inTransaction(database, () => {
      for (let at = 0; at < reports.length; at++) {
        const report = reports[at] as TransferReport
        const kind = this.#drains.has(report) ? 'drain' : 'transfer'
        putTransfer(open.insert, firstSeq + at, report, kind, this.#durable.has(report.link))
      }
      if (this.#linksChanged) this.#writeLinks(database)
      return this.#writeSums(open, lastSeq, all)
    })
    for (const sums of written) this.#dirty.delete(sums)
    this.#linksChanged = false
    this.#forget()
    this.#lastSeq = lastSeq
    this.#trim(open, written)
  }

  /** Adds a transfer to the sums of its link. */
  #sum(report: SummedReport, seq: number, isDurable = this.#durable.has(report.link)): void {
    const hour = hourOf(report)
    let sums = this.#sums.get(report.link)
    if (sums?.hour !== hour) {
      sums = noSums(report.link, hour)
      this.#sums.set(report.link, sums)
      this.#unmerged.add(sums)
    }
    addTransfer(sums, report, isDurable)
    if (!this.#dirty.has(sums)) this.#dirty.set(sums, seq)
  }

  /** Writes sums that have changed, those first that did so first. Gives those that it has written. */
  #writeSums(open: Open, lastSeq: number, all: boolean): HourSums[] {
    const most = all ? Infinity : Math.max(LEAST_SUMS, Math.ceil(this.#dirty.size / SPREAD))
    const written: HourSums[] = []
    let summed = lastSeq
    for (const [sums, seq] of this.#dirty) {
      if (written.length >= most) {
        summed = seq - 1
        break
      }
      if (this.#unmerged.delete(sums)) mergeInto(sums, open.findSums.get(sums.hour, sums.link))
      open.putSums.run(sums.hour, sums.link, lastSeq, JSON.stringify(sums))
      written.push(sums)
    }
    open.putMeta.run('summed', String(summed))
    if (this.#unlisted > 0) open.putMeta.run('unlisted', String(this.#unlisted))
    open.summed = summed
    return written
  }

  /** Lets go of what is beyond the limits. */
  #trim(open: Open, written: readonly HourSums[]): void {
    const { database, summed } = open
    const old = Math.min(summed, this.#lastSeq - this.#limits.transfers)
    if (old > open.deleted) {
      open.deleteUpTo.run(old)
      open.deleted = old
    }
    const hour = written.reduce((latest, sums) => Math.max(latest, sums.hour), 0)
    if (hour <= open.hour) return
    open.hour = hour
    const { hours } = this.#limits
    const last = database.prepare('SELECT hour FROM hour ORDER BY hour DESC LIMIT 1 OFFSET ?').get(hours)
    if (last === undefined) return
    database.prepare('DELETE FROM hour WHERE hour <= ?').run(Number(last['hour']))
  }

  #writeLinks(database: Database): void {
    const now = Date.now()
    database.exec('DELETE FROM link')
    const put = database.prepare('INSERT INTO link(link, schedule, since) VALUES(?, ?, ?)')
    for (const [link, schedule] of this.#links) put.run(link, JSON.stringify(schedule), now)
  }

  /** The open file; opened anew when it was deleted. */
  #opened(): Open {
    if (this.#open !== undefined && inode(this.#file) === this.#open.inode) return this.#open
    const wasOpen = this.#open !== undefined
    this.#shut()
    if (wasOpen) getLogger('databay.Ledger').info(`${this.#file} is gone: it begins again`)
    if (inode(this.#file) === undefined) this.#begin()
    this.#open = this.#openFile()
    return this.#open
  }

  /** Lets go of what the file had that is gone: sums begin again with the next transfers. */
  #begin(): void {
    for (const end of ['-wal', '-shm']) rmSync(this.#file + end, { force: true })
    this.#sums.clear()
    this.#unmerged.clear()
    this.#dirty.clear()
    this.#summed = 0
    this.#unlisted = 0
    this.#linksChanged = true
  }

  #openFile(): Open {
    const database = openLedger(this.#driver, this.#file)
    try {
      const last = database.prepare('SELECT max(seq) AS seq FROM transfer').get()?.['seq']
      const upTo = database.prepare('SELECT max(upto) AS seq FROM hour').get()?.['seq']
      const hour = Number(database.prepare('SELECT max(hour) AS hour FROM hour').get()?.['hour'] ?? 0)
      const open: Open = {
        database,
        inode: inode(this.#file),
        insert: database.prepare(INSERT_TRANSFER),
        findSums: database.prepare('SELECT sums FROM hour WHERE hour = ? AND link = ?'),
        putSums: database.prepare('INSERT OR REPLACE INTO hour(hour, link, upto, sums) VALUES(?, ?, ?, ?)'),
        putMeta: database.prepare('INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)'),
        deleteUpTo: database.prepare('DELETE FROM transfer WHERE seq <= ?'),
        deleted: 0,
        summed: 0,
        hour,
      }
      this.#lastSeq = Math.max(Number(last ?? 0), Number(upTo ?? 0))
      this.#takeUp(open)
      return open
    } catch (error) {
      database.close()
      throw error
    }
  }

  /** Adds the transfers that are not in the sums of the file. */
  #takeUp({ database }: Open): void {
    if (this.#hasTakenUp) return
    this.#hasTakenUp = true
    this.#unlisted += unlistedIn(database)
    for (const transfer of unsummed(database)) this.#sum(transfer, transfer.seq, transfer.durable === true)
  }

  #failed(error: Error): void {
    if (error instanceof StoreVersionError) {
      this.#isOff = true
      this.#forget()
      getLogger('databay.Ledger').warn(`${error.message}: transfers are not written to it`)
      return
    }
    if (error instanceof StoreCorruptError) this.#setAside(error)
    else {
      this.#troubles.again(error.message, (counted) => {
        const message = `the ledger cannot be written now, and links run on: ${error.message}${counted}`
        getLogger('databay.Ledger').warn(message)
      })
    }
    this.#shut()
    this.#limitList()
  }

  #recovered(): void {
    this.#troubles.over((failures, time) => {
      getLogger('databay.Ledger').warn(`the ledger is written again: it failed ${failures} times in ${time}`)
    })
  }

  /** Moves a damaged file aside, in the place of one that was moved there before. */
  #setAside({ message }: StoreCorruptError): void {
    this.#shut()
    const aside = `${this.#file}.damaged`
    try {
      renameSync(this.#file, aside)
      getLogger('databay.Ledger').warn(`the ledger is damaged, and begins again: it is now ${aside} (${message})`)
    } catch (thrown) {
      this.#troubles.again('aside', () => {
        getLogger('databay.Ledger').warn(`the ledger is damaged (${message}): ${toError(thrown).message}`)
      })
    }
  }

  /** Takes transfers beyond the limit out of the list: they are in the sums alone. */
  #limitList(): void {
    let beyond = this.#waiting.length - this.#limits.listed
    if (beyond <= 0) return
    this.#unlisted += beyond
    let failures = this.#waiting.filter(({ errors }) => errors.length > 0).length
    const next = this.#lastSeq + 1
    const kept: TransferReport[] = []
    for (const [at, report] of this.#waiting.entries()) {
      if (at >= this.#summed) this.#sum(report, next)
      const isKept = beyond === 0 || (report.errors.length > 0 && failures <= this.#limits.listed)
      if (isKept) kept.push(report)
      else {
        beyond--
        if (report.errors.length > 0) failures--
        this.#drains.delete(report)
      }
    }
    this.#waiting = kept
    this.#summed = kept.length
    // those that follow get lower numbers now
    for (const [sums, seq] of this.#dirty) if (seq > next) this.#dirty.set(sums, next)
  }

  #forget(): void {
    this.#waiting = []
    this.#summed = 0
    this.#drains.clear()
  }

  #shut(): void {
    try {
      this.#open?.database.close()
    } catch {
      // what it had is written, or waits
    }
    this.#open = undefined
  }
}

/** The file as it is open, with its statements. */
interface Open {
  readonly database: Database
  readonly inode: number | undefined
  readonly insert: Statement
  readonly findSums: Statement
  readonly putSums: Statement
  readonly putMeta: Statement
  readonly deleteUpTo: Statement
  /** Number of the last transfer that was deleted. */
  deleted: number
  /** Number of the last transfer of which all sums are written. */
  summed: number
  /** Last hour of which there are sums. */
  hour: number
}

/** Adds sums to those which the file has of the same hour. */
function mergeInto(sums: HourSums, row: Row | undefined): void {
  if (row === undefined) return
  const before = sumsOf(row)
  addSums(before, sums)
  Object.assign(sums, before)
}

/** Number of a file on its disk; `undefined` when there is none. */
function inode(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino
}
