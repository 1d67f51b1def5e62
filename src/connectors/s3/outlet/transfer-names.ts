import { randomBytes } from 'node:crypto'
import type { Update } from '../../../core/update.js'
import type { S3KeyNames } from './key-template.js'

/** Time of the latest text that no other transfer has: clocks may be set back. */
let latest = 0

/** Text that no other one is: later ones sort behind it. */
export function makeUid(now: number): string {
  latest = Math.max(now, latest + 1)
  return `${latest.toString(36).padStart(9, '0')}${randomBytes(8).toString('hex')}`
}

/** What keys of objects of one transfer are made of. */
export class TransferNames {
  readonly #names: Omit<S3KeyNames, 'batch'>
  #batches = 0

  constructor(update: Update, now: number) {
    const [, date = '', year = '', month = '', day = '', hour = '', minute = ''] =
      /^(([+-]?\d+)-(\d\d)-(\d\d))T(\d\d):(\d\d)/.exec(new Date(now).toISOString()) ?? []
    this.#names = { link: update.link, date, year, month, day, hour, minute, uid: makeUid(now) }
  }

  /** Names for the next batch. */
  next(): S3KeyNames {
    return { ...this.#names, batch: String(this.#batches++).padStart(6, '0') }
  }
}
