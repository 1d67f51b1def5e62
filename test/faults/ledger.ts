import type { ThreadLostEvent, TransferReport } from 'databay'
import type { Board } from './board.js'
import { PER_TRANSFER } from './issue.js'

/** What the ledger keeps of a link: only what is not settled yet, so that it does not grow. */
interface Account {
  readonly link: number
  /** Number of entries of the board that were read. */
  read: number
  /** Number of the latest record that was pushed. */
  last: number
  /** Number of the transfer that has begun to push and has not ended. */
  open: number | undefined
  /** Numbers of failed transfers that may be the open one. */
  readonly failed: Set<number>
  /** Numbers of records that were pulled and are in a buffer. */
  readonly held: Set<number>
  /** Numbers of records that were pushed by a transfer whose report has not come yet. */
  readonly early: Set<number>
  /** Number of the transfer of the latest report. */
  reported: number
}

export interface LedgerCounts {
  transfers: number
  /** Transfers with an error. */
  failed: number
  /** Records that were pushed. */
  pushed: number
  /** Records of failed transfers that were not pushed, as reported. */
  failedRecords: number
  /** Records that were pushed though their transfer failed: its thread was lost before its report. */
  pushedAllTheSame: number
  /** Records that were lost in buffers, with their thread. */
  lost: number
  /** Records that were lost in buffers, as the events said. */
  lostAsTold: number
}

/**
 * Judges a run while it goes on: every record that is pushed was issued, comes in order, and comes once; no two transfers
 * of a link push at the same time; and every record that is not pushed is in a report with an error, in a buffer, or in the
 * event of a lost thread.
 */
export class Ledger {
  readonly counts: LedgerCounts = {
    transfers: 0,
    failed: 0,
    pushed: 0,
    failedRecords: 0,
    pushedAllTheSame: 0,
    lost: 0,
    lostAsTold: 0,
  }
  /** Number of things that were wrong; `examples` has the first of them in sentences. */
  wrong = 0
  readonly examples: string[] = []
  readonly #board: Board
  readonly #accounts: ReadonlyMap<string, Account>

  constructor(board: Board, names: readonly string[]) {
    this.#board = board
    this.#accounts = new Map(names.map((name, link) => [name, newAccount(link)]))
  }

  /** Takes the report of a transfer. To be called at once, with every report. */
  report({ link: name, transferNumber, errors, pulled, buffered, outlets }: TransferReport): void {
    const account = this.#accounts.get(name)
    if (account === undefined) {
      this.blame(`${name}: a report of a link that is none`)
      return
    }
    this.#read(name, account)
    this.counts.transfers++
    const { held, early, reported } = account
    if (transferNumber <= reported) this.blame(`${name}: a report of transfer ${transferNumber} after ${reported}`)
    if (pulled > 0 && transferNumber !== reported + 1) this.blame(`${name}: no report before ${transferNumber}`)
    account.reported = transferNumber
    const ours = Array.from({ length: PER_TRANSFER }, (_, at) => transferNumber * PER_TRANSFER + at)
    const unpushed = ours.filter((number) => !early.delete(number))
    const told = outlets.reduce((sum, outlet) => sum + outlet.buffered, buffered)
    const inThread = !errors.some(({ code }) => code === 'DATABAY_THREAD_LOST')
    if (errors.length > 0) {
      this.counts.failed++
      account.failed.add(transferNumber)
      this.counts.pushedAllTheSame += PER_TRANSFER - unpushed.length
    }
    // a transfer may fail after its records are in the buffer
    if (errors.length === 0 ? pulled > 0 : inThread && told === held.size + unpushed.length) {
      for (const number of unpushed) held.add(number)
    } else if (errors.length > 0) this.counts.failedRecords += unpushed.length
    if (inThread && held.size !== told) {
      this.blame(`${name}: ${held.size} records were not pushed, and the report of ${transferNumber} says ${told}`)
      held.clear()
    }
    if (early.size > 0) this.blame(`${name}: pushed ${early.size} records that no report tells of`)
    early.clear()
  }

  /** Takes the event of a lost thread. To be called at once, with every event. */
  lost({ links, buffered }: ThreadLostEvent): void {
    let lost = 0
    for (const name of links) {
      const account = this.#accounts.get(name)
      if (account === undefined) continue
      this.#read(name, account)
      lost += account.held.size
      account.held.clear()
    }
    // what was pushed just before may be counted as lost, but not the other way round
    if (lost > buffered) this.blame(`${lost} records were lost with a thread, and its event says ${buffered}`)
    this.counts.lost += lost
    this.counts.lostAsTold += buffered
  }

  /** Ends the ledger: nothing may be held any more. */
  end(): void {
    for (const [name, account] of this.#accounts) {
      this.#read(name, account)
      if (account.held.size > 0) this.blame(`${name}: ${account.held.size} records are still held at the end`)
      if (account.open !== undefined && !account.failed.has(account.open)) {
        this.blame(`${name}: transfer ${account.open} has not ended`)
      }
      const clashes = this.#board.clashes(account.link)
      if (clashes > 0) this.blame(`${name}: two transfers pushed at the same time, ${clashes} times`)
    }
  }

  blame(what: string): void {
    this.wrong++
    if (this.examples.length < MOST_EXAMPLES) this.examples.push(what)
  }

  /** Reads the new entries of a link. */
  #read(name: string, account: Account): void {
    for (const head = this.#board.head(account.link); account.read < head; account.read++) {
      const { kind, first, second } = this.#board.read(account.link, account.read)
      switch (kind) {
        case 'begins':
          this.#begin(name, account, first)
          break
        case 'takes':
          for (let number = first; number < first + second; number++) this.#take(name, account, number)
          break
        case 'ends':
          account.open = undefined
          break
        case 'foreign':
          this.blame(`${name}: pushed ${first} records that were never issued to it`)
      }
    }
  }

  #begin(name: string, account: Account, transfer: number): void {
    const { open, failed } = account
    // a push that never ended was in a thread that was lost: its transfer must have failed
    if (open !== undefined && !failed.has(open)) this.blame(`${name}: transfers ${open} and ${transfer} overlap`)
    for (const one of failed) if (one < transfer) failed.delete(one)
    account.open = transfer
  }

  #take(name: string, account: Account, number: number): void {
    this.counts.pushed++
    if (number <= account.last) this.blame(`${name}: pushed number ${number} after ${account.last}`)
    account.last = number
    if (!account.held.delete(number)) account.early.add(number)
  }
}

/** Number of examples that are kept. */
const MOST_EXAMPLES = 20

function newAccount(link: number): Account {
  return {
    link,
    read: 0,
    last: -1,
    open: undefined,
    failed: new Set(),
    held: new Set(),
    early: new Set(),
    reported: -1,
  }
}
