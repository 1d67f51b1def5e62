/** Makes stores with dead letters in them. */
import { join } from 'node:path'
import type { Test } from 'tap'
import { plainError } from '../../src/base/plain-error.js'
import { Record } from '../../src/core/record.js'
import { encodeRecords } from '../../src/store/codec.js'
import type { DeadLetter } from '../../src/store/dead-letters.js'
import type { LinkStage } from '../../src/store/link-stages.js'
import { LinkStore } from '../../src/store/link-store.js'
import { ownStore } from '../../src/store/store.js'

/** Stages of the link `orders` of {@link storeWithLetters}. */
export const STAGES: readonly LinkStage[] = [
  { place: 'processor:0', stage: 'process', node: 'clean' },
  { place: 'outlet:0', stage: 'push', node: 'HttpOutlet', outlet: 'HttpOutlet' },
  { place: 'outlet:1 processor:0', stage: 'process', node: 'shorten', outlet: 'FileOutlet' },
]

/** Made once: stacks are slow to read where source maps are on. */
const REFUSED = plainError(new Error('422 Unprocessable\nEntity', { cause: new Error('no amount') }))

/** A dead letter of an outlet. */
export function letter(payload: unknown, more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    stage: 'push',
    node: 'HttpOutlet',
    place: 'outlet:0',
    outlet: 'HttpOutlet',
    at: Date.now() - 60_000,
    attempts: 3,
    code: 'DATABAY_HTTP',
    error: REFUSED,
    body: encodeRecords([new Record(payload, { file: 'orders.csv' })]),
    ...more,
  }
}

/** The letter of a record that must not lie on a disk. */
export function withoutRecord(more: Partial<DeadLetter> = {}): DeadLetter {
  const { body: _body, ...rest } = letter(undefined, more)
  return rest
}

/** Makes a store in which the link `orders` has dead letters, with ids from 1 on. */
export async function storeWithLetters(t: Test, letters: readonly DeadLetter[]): Promise<string> {
  const folder = join(t.testdir(), '.databay')
  const { store, release } = await ownStore(folder)
  const link = await LinkStore.open(store, 'orders')
  await link.commit({ dead: letters, stages: STAGES })
  release()
  return folder
}
