import type { Blocked } from '../../core/report.js'
import { loadDriver, type DriverName } from '../driver.js'
import { storeError, type Database, type SqlValue } from '../sqlite.js'
import { storeFiles } from '../store-files.js'
import { linkDurations, type LinkDurations } from './durations.js'
import { addSums, addTransfer, noSums, startOf, type HourSums, type OutletSums } from './hour-sums.js'
import { readLedger } from './ledger-database.js'
import { sumsOf, transferOf, unlistedIn, unsummed, type LedgerLink, type LedgerTransfer } from './ledger-rows.js'

/** What is asked of the transfers in a ledger. */
export interface TransferQuery {
  /** Names of the links; empty for all. */
  readonly links: readonly string[]
  /** Time from which on transfers count, in milliseconds since 1970. */
  readonly since?: number
  /** Whether only those with an error count. */
  readonly failed: boolean
  /** Most transfers that are given: the last ones. */
  readonly limit: number
}

/** Transfers of a ledger, the newest last. */
export interface TransferList {
  readonly transfers: readonly LedgerTransfer[]
  /** Number of further ones that were asked for. */
  readonly more: number
  /** End of the oldest transfer that is kept one by one, when there were older ones; left out otherwise. */
  readonly keptSince?: number
  /** Transfers that are in the sums of their hours alone, as there were too many. */
  readonly unlisted: number
}

/** How a link does. Times are milliseconds since 1970. */
export interface LinkLag {
  readonly link: string
  /** End of the last transfer without an error; left out when none is known. */
  readonly lastSuccessAt?: number
  /** End of the first failed transfer since then. */
  readonly failingSince?: number
  /** Due time of the last transfer. */
  readonly lastScheduledAt?: number
  /** What blocked the link at its last transfer; left out when nothing did. */
  readonly blocked?: Blocked
  /** Records that waited for outlets then. */
  readonly waiting?: number
  readonly transfers: number
  readonly failed: number
  /** The link as the planner has it; left out when it has left. */
  readonly planned?: LedgerLink
}

/** Balance of a link's records for one of its outlets, over all that the ledger has. */
export interface OutletBalance {
  readonly link: string
  readonly outlet: string
  /**
   * Records that the inlets produced, or that were in buffers when the ledger begins. With `delivery`, those that were gone from
   * memory and pulled again count once.
   */
  readonly pulled: number
  readonly added: number
  readonly filtered: number
  readonly dropped: number
  readonly delivered: number
  /** Records in buffers after the last transfer. */
  readonly held: number
  /** Dead letters. */
  readonly dead: number
  /** Records of dead letters that were run again. */
  readonly replayed: number
  /** Records that wait for the outlet after the last transfer, as it is unavailable. */
  readonly waiting: number
  /** Records of which nothing is known; less than 0 when more went out than came in. */
  readonly missing: number
}

/** A ledger that is read, beside the planner that writes it. */
export class LedgerReader {
  readonly #database: Database

  private constructor(database: Database) {
    this.#database = database
  }

  /**
   * Opens the ledger of the store in a folder.
   *
   * @throws {@link StoreError} when there is none
   * @throws {@link StoreVersionError} when a newer databay wrote it
   * @throws {@link StoreCorruptError} when it is damaged
   */
  static async open(folder: string, only?: DriverName): Promise<LedgerReader> {
    return new LedgerReader(readLedger(await loadDriver(only), storeFiles(folder).ledger))
  }

  /** Names of the links of which there is something. */
  links(): string[] {
    const sql = 'SELECT link FROM hour UNION SELECT link FROM transfer UNION SELECT link FROM link ORDER BY link'
    return this.#all(sql).map(({ link }) => String(link))
  }

  transfers({ links, since, failed, limit }: TransferQuery): TransferList {
    const conditions: string[] = []
    const values: SqlValue[] = []
    if (links.length > 0) {
      conditions.push(`link IN (${links.map(() => '?').join(', ')})`)
      values.push(...links)
    }
    if (since !== undefined) {
      conditions.push('ended_at >= ?')
      values.push(since)
    }
    if (failed) conditions.push('(errors IS NOT NULL OR blocked IS NOT NULL)')
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
    return this.#read(() => {
      const rows = this.#all(`SELECT * FROM transfer ${where} ORDER BY seq DESC LIMIT ?`, ...values, limit)
      const found = Number(this.#all(`SELECT count(*) AS n FROM transfer ${where}`, ...values)[0]?.['n'])
      const first = this.#all('SELECT seq, ended_at FROM transfer ORDER BY seq LIMIT 1')[0]
      const isCut = first !== undefined && Number(first['seq']) > 1
      const transfers = rows.map(transferOf).reverse()
      const more = found - transfers.length
      const unlisted = unlistedIn(this.#database)
      return { transfers, more, unlisted, ...(isCut ? { keptSince: Number(first['ended_at']) } : {}) }
    })
  }

  /** How links do, by their names: those of the planner, and others that have left something. */
  lag(links: readonly string[] = []): LinkLag[] {
    return this.#read(() => {
      const planned = new Map(
        this.#all('SELECT * FROM link').map(({ link, schedule, since }) => [
          String(link),
          {
            link: String(link),
            schedule: JSON.parse(String(schedule)) as LedgerLink['schedule'],
            since: Number(since),
          },
        ]),
      )
      const sums = this.#sums()
      const blocked = this.#blocked()
      const names = [...new Set([...planned.keys(), ...sums.keys()])].sort()
      return names
        .filter((link) => links.length === 0 || links.includes(link))
        .map((link) => {
          const { transfers, failed, lastSuccessAt, failingSince, lastScheduledAt } = sums.get(link) ?? noSums(link, 0)
          const known = planned.get(link)
          return {
            link,
            transfers,
            failed,
            ...(lastSuccessAt === undefined ? {} : { lastSuccessAt }),
            ...(failingSince === undefined ? {} : { failingSince }),
            ...(lastScheduledAt === undefined ? {} : { lastScheduledAt }),
            ...blocked.get(link),
            ...(known === undefined ? {} : { planned: known }),
          }
        })
    })
  }

  /** How long the runs of each link took, by its name. */
  durations(): Map<string, LinkDurations> {
    return this.#read(() => linkDurations(this.#database, this.#sums().values()))
  }

  /** Balance of each link's records, for each of its outlets. */
  check(links: readonly string[] = []): { readonly balances: readonly OutletBalance[]; readonly since?: number } {
    return this.#read(() => {
      const first = this.#all('SELECT min(hour) AS hour FROM hour')[0]?.['hour']
      const sums = [...this.#sums().values()].filter(({ link }) => links.length === 0 || links.includes(link))
      const balances = settled(sums.sort((a, b) => (a.link < b.link ? -1 : 1)).flatMap(balancesOf))
      return typeof first === 'number' ? { balances, since: startOf(first) } : { balances }
    })
  }

  close(): void {
    this.#database.close()
  }

  /** Sums of all hours, and of what is in none yet, by link. */
  #sums(): Map<string, HourSums> {
    const all = new Map<string, HourSums>()
    const of = (link: string) => {
      let sums = all.get(link)
      if (sums === undefined) all.set(link, (sums = noSums(link, 0)))
      return sums
    }
    for (const row of this.#all('SELECT sums FROM hour ORDER BY hour')) {
      const sums = sumsOf(row)
      addSums(of(sums.link), sums)
    }
    for (const transfer of unsummed(this.#database)) addTransfer(of(transfer.link), transfer, transfer.durable === true)
    return all
  }

  /** What blocks the links whose last transfer was a try that failed. */
  #blocked(): Map<string, Pick<LinkLag, 'blocked' | 'waiting'>> {
    const rows = this.#all(
      'SELECT * FROM transfer WHERE blocked IS NOT NULL AND seq IN (SELECT max(seq) FROM transfer GROUP BY link)',
    )
    return new Map(
      rows
        .map(transferOf)
        .map(({ link, blocked, outlets }) => [
          link,
          { ...(blocked && { blocked }), waiting: outlets.reduce((sum, { waiting = 0 }) => sum + waiting, 0) },
        ]),
    )
  }

  /** Reads all of one state of the ledger, whatever is written meanwhile. */
  #read<T>(work: () => T): T {
    try {
      this.#database.exec('BEGIN')
      try {
        return work()
      } finally {
        this.#database.exec('COMMIT')
      }
    } catch (error) {
      throw storeError(error, this.#database.file)
    }
  }

  #all(sql: string, ...values: readonly SqlValue[]) {
    try {
      return this.#database.prepare(sql).all(...values)
    } catch (error) {
      throw storeError(error, this.#database.file)
    }
  }
}

function balancesOf(sums: HourSums): OutletBalance[] {
  const { link, before, outlets } = sums
  const missing = before + cameIn(sums) - sums.grouped - wentOut(sums) - sums.held
  return outlets.map((outlet) => ({
    link,
    outlet: outlet.outlet,
    // what it was not offered, as the link has it for a shorter time, is none of its records
    pulled: before + sums.pulled + outlet.before - (sums.grouped - outlet.offered) - again(sums) - again(outlet),
    added: sums.added + outlet.added,
    filtered: sums.filtered + outlet.filtered,
    dropped: sums.dropped + outlet.dropped,
    delivered: outlet.pushed,
    held: sums.held + outlet.held,
    dead: (sums.dead ?? 0) + (outlet.dead ?? 0),
    replayed: (sums.replayed ?? 0) + (outlet.replayed ?? 0),
    waiting: outlet.waiting ?? 0,
    missing:
      missing +
      (outlet.before + outlet.offered + cameIn({ ...outlet, pulled: 0 })) -
      (outlet.pushed + wentOut(outlet) + outlet.held + (outlet.waiting ?? 0)),
  }))
}

type Sums = Pick<OutletSums, 'added' | 'filtered' | 'dropped' | 'dead' | 'replayed' | 'again'>

function cameIn({ pulled, added, replayed = 0 }: Sums & { readonly pulled: number }): number {
  return pulled + added + replayed
}

/** Number of records that went elsewhere than to outlets. */
function wentOut({ filtered, dropped, dead = 0, again = 0 }: Sums): number {
  return filtered + dropped + dead + again
}

function again({ again = 0 }: Sums): number {
  return again
}

/**
 * Balances in which links that share an outlet are settled: one lets go of records that another has put into the outlet's
 * buffer, so that what is missing there is too much here.
 */
function settled(balances: readonly OutletBalance[]): OutletBalance[] {
  const sums = new Map<string, number>()
  for (const { outlet, missing } of balances) sums.set(outlet, (sums.get(outlet) ?? 0) + missing)
  return balances.map((one) => (sums.get(one.outlet) === 0 ? { ...one, missing: 0 } : one))
}
