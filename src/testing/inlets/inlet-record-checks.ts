import { show } from '../../base/errors.js'
import type { Inlet } from '../../core/inlet.js'
import { isRecord, type Metadata } from '../../core/record.js'
import { claim } from '../claims.js'
import { nameOf } from '../node-harness.js'
import type { Check } from '../runner.js'
import { watchedMetadata } from '../watched-metadata.js'
import type { InletHarness } from './inlet-harness.js'
import { listOf } from './pulled.js'

/** Key of metadata that no inlet can know. */
const KEY = 'ContractSuite.KEY'
const GLOBAL: Metadata = Object.freeze({ [KEY]: 'global' })

/** Checks of the records that an inlet makes, and of their metadata. */
export const RECORD_CHECKS: Check<InletHarness>[] = [
  {
    name: 'makes records with newRecord',
    holds: async (harness) => {
      const inlet = await harness.make()
      const payload = { any: 'object' }
      const record = inlet.newRecord(payload, { [KEY]: 'local' })
      const call = `${nameOf(inlet)}.newRecord`
      claim(isRecord(record), `${call} gave ${show(record)}: expected a Record`)
      claim(
        record.payload === payload,
        `${call} gave a record with the payload ${show(record.payload)}: expected the one given`,
      )
      claim(record.metadata[KEY] === 'local', `${call} left out the metadata that it was given`)
      const from = record.metadata['__inlet__']
      claim(
        from === String(inlet),
        `${call} gave a record whose __inlet__ is ${show(from)}: expected the inlet's toString()`,
      )
    },
  },
  {
    name: 'hands its metadata on to its records, where local metadata goes before',
    holds: async (harness) => {
      const inlet = await withMetadata(harness, GLOBAL)
      const call = `${nameOf(inlet)}.newRecord`
      claim(inlet.newRecord(1).metadata[KEY] === 'global', `${call} left out the inlet's own metadata`)
      const local = inlet.newRecord(1, { [KEY]: 'local' }).metadata[KEY]
      claim(local === 'local', `${call} lets the inlet's metadata override what is given to it`)
      const again = inlet.newRecord(1).metadata[KEY]
      claim(again === 'global', `${call} kept the metadata of one record for the next`)
    },
  },
  {
    name: 'does not read or change its metadata',
    holds: async (harness) => {
      const watched = watchedMetadata(GLOBAL)
      const inlet = await harness.make({ metadata: watched.metadata })
      Object.defineProperty(inlet, 'metadata', { value: watched.metadata, configurable: true })
      await harness.calls.outcome(`${nameOf(inlet)}.onStart`, () => inlet.tryStart())
      await harness.calls.outcome(`${nameOf(inlet)}.pull`, () =>
        inlet.pull(harness.update().update, inlet.memoryCursor),
      )
      const [touched] = watched.touched
      claim(
        touched === undefined,
        `${nameOf(inlet)} ${touched ?? ''} its metadata: take what it needs as an option of its own`,
      )
    },
  },
  {
    name: 'pulls records that carry its metadata and say where they come from',
    holds: async (harness) => {
      const inlet = await withMetadata(harness, GLOBAL)
      await harness.start(inlet)
      for (const item of listOf(await harness.pull(inlet))) {
        if (!isRecord(item)) continue
        const { metadata } = item
        const whole = metadata['__inlet__'] === String(inlet) && KEY in metadata
        claim(
          whole,
          `${nameOf(inlet)}.pull gave a record without the inlet's metadata: make records with this.newRecord()`,
        )
      }
    },
  },
]

/** Makes an inlet with this metadata, even where `create` takes no options to hand on. */
async function withMetadata(harness: InletHarness, metadata: Metadata): Promise<Inlet> {
  const inlet = await harness.make({ metadata })
  const { create } = harness.setup
  const handedOn = KEY in inlet.metadata
  claim(
    handedOn || create.length === 0,
    `${nameOf(inlet)}.metadata lacks what create() was given: hand the options on to super(options)`,
  )
  if (!handedOn) Object.defineProperty(inlet, 'metadata', { value: metadata, configurable: true })
  return inlet
}
