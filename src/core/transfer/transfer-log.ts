import { counted } from '../../base/counted.js'
import { toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { failureText } from '../report.js'
import { transferText, type Update } from '../update.js'
import type { TransferParts } from './parts.js'

type LoggedParts = Pick<TransferParts, 'name' | 'settings' | 'troubles'>

/** Log lines of one transfer. Of what happens again and again to its link, some are left out: see `TroubleLog`. */
export class TransferLog {
  readonly #parts: LoggedParts
  readonly #update: Update

  constructor(parts: LoggedParts, update: Update) {
    this.#parts = parts
    this.#update = update
  }

  /** An error whose records are lost, or wait. */
  failed(error: Error, failure: Parameters<typeof failureText>[0]): void {
    const ignored = this.#parts.settings.ignoreExceptions ? ' (ignored)' : ''
    const { node, stage, message } = failure
    this.#say(`${node} ${stage} ${message}`, (again) => {
      this.#log.error({ err: error }, `${this.#name} ${failureText(failure)}${ignored}${again}`)
    })
  }

  /** An error whose records are dead letters. */
  dead(failure: Parameters<typeof failureText>[0], records: number): void {
    const { node, stage, message } = failure
    this.#sayOfRound(`dead ${node} ${stage} ${message}`, (again) => {
      const what = records === 1 ? 'a record is a dead letter' : `${records} records are dead letters`
      this.#log.warn(`${this.#name}: ${what}, as ${failureText(failure)}${again}`)
    })
  }

  /** Errors that have no lines. */
  unlogged(errors: number): void {
    this.#say('more errors', (again) => {
      this.#log.error(
        `${this.#name} had ${counted(errors, 'more error')}: its report lists ${errors === 1 ? 'it' : 'them'}${again}`,
      )
    })
  }

  /** Records that no outlet, or not every outlet, will get. */
  dropped(records: number, why: string): void {
    const write = (again: string) => {
      this.#log.warn(`${this.#name} dropped ${counted(records, 'record')}: ${why}${again}`)
    }
    const { troubles } = this.#parts
    if (troubles === undefined) write('')
    else troubles.dropped(why, records, write)
  }

  /** Records that came from no inlet or processor. */
  added(records: number, why: string): void {
    this.#sayOfRound(why, (again) => {
      this.#log.warn(`${this.#name} added ${counted(records, 'record')}: ${why}${again}`)
    })
  }

  /** Records of a link with `delivery` that come again. */
  pulledAgain(records: number, why: string): void {
    this.#log.debug(`${this.#name}: ${records} records are pulled again: ${why}`)
  }

  /** Something about the transfer that is no error of it. */
  warn(kind: string, text: string, details: object = {}): void {
    this.#say(kind, (again) => {
      this.#log.warn(details, `${this.#name} ${text}${again}`)
    })
  }

  /** User code that went on after the transfer was told to stop. Code that stops as asked mostly rejects with the reason. */
  abandoned(pending: Promise<unknown>, reason: Error | undefined): void {
    pending.then(
      () => {
        this.warn('abandoned', 'went on after it was told to stop: its result is dropped')
      },
      (thrown: unknown) => {
        if (thrown === reason) return
        this.warn('failed after its stop', 'failed after it was told to stop', { err: toError(thrown) })
      },
    )
  }

  /** Has a line written, unless it has been written of late: see `TroubleLog.failed`. */
  #say(kind: string, write: (again: string) => void): void {
    const { troubles } = this.#parts
    if (troubles === undefined) write('')
    else troubles.failed(kind, this.#update, write)
  }

  /** The same for what each round may have: see `TroubleLog.ofRound`. */
  #sayOfRound(kind: string, write: (again: string) => void): void {
    const { troubles } = this.#parts
    if (troubles === undefined) write('')
    else troubles.ofRound(kind, this.#update, write)
  }

  /** The transfer in log lines: its update, and the id of its link where that does not show. */
  get #name(): string {
    return transferText(String(this.#update), this.#parts.name)
  }

  get #log() {
    return getLogger('databay.Link')
  }
}
