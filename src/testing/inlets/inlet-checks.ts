import { inspect } from 'node:util'
import { show, toError } from '../../base/errors.js'
import type { Inlet, InletOptions } from '../../core/inlet.js'
import { type Metadata, isRecord } from '../../core/record.js'
import { claim, claimEqual } from '../claims.js'
import { nameOf } from '../node-harness.js'
import { handOver, nodeChecks } from '../node-checks.js'
import type { Check } from '../runner.js'
import { watchedMetadata } from '../watched-metadata.js'
import { refusesToFailSilently, stopsHanging, SHOWS_NO_SECRET } from './inlet-failure-checks.js'
import { type ResolvedInletSetup, type InletHarness, pull, listOf, tellEnd } from './inlet-harness.js'

/** A key of metadata that no inlet can know. */
const KEY = 'ContractSuite.KEY'
const GLOBAL: Metadata = Object.freeze({ [KEY]: 'global' })

/** What of the contract is checked, as far as the set-up has what it needs. */
export function inletChecks(setup: ResolvedInletSetup): Check<InletHarness>[] {
  const { expected, failing, hanging, cloneable, secrets } = setup
  return [
    ...CHECKS,
    ...nodeChecks<Inlet, InletOptions, ResolvedInletSetup, InletHarness>(async (harness, inlet) => {
      await pull(harness, inlet)
    }),
    ...(cloneable ? [PAYLOADS_CAN_BE_COPIED] : []),
    ...(expected === undefined ? [] : [givesExpected(expected)]),
    ...(failing === undefined ? [] : [refusesToFailSilently(failing)]),
    ...(hanging === undefined ? [] : [stopsHanging(hanging)]),
    ...(secrets.length === 0 ? [] : [SHOWS_NO_SECRET]),
  ]
}

const CHECKS: Check<InletHarness>[] = [
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
      await harness.calls.outcome(`${nameOf(inlet)}.pull`, () => inlet.pull(harness.update().update))
      const [touched] = watched.touched
      claim(
        touched === undefined,
        `${nameOf(inlet)} ${touched ?? ''} its metadata: take what it needs as an option of its own`,
      )
    },
  },
  {
    name: 'pulls a value, a Record, or a list of them',
    holds: async (harness) => {
      const inlet = await harness.started()
      for (let round = 0; round < 3; round++) claimPulled(inlet, await pull(harness, inlet))
    },
  },
  {
    name: 'pulls records that carry its metadata and say where they come from',
    holds: async (harness) => {
      const inlet = await withMetadata(harness, GLOBAL)
      await harness.start(inlet)
      for (const item of listOf(await pull(harness, inlet))) {
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
  {
    name: 'leaves alone what it has given',
    holds: async (harness) => {
      const inlet = await harness.started()
      const first = await pull(harness, inlet)
      const before = inspect(first, { depth: Infinity, maxArrayLength: Infinity })
      await pull(harness, inlet)
      const after = inspect(first, { depth: Infinity, maxArrayLength: Infinity })
      claim(
        after === before,
        `${nameOf(inlet)}.pull changed what an earlier pull had given: give new objects each time`,
      )
    },
  },
  {
    name: 'ends a pull that is told to stop, and pulls again afterwards',
    holds: async (harness) => {
      const inlet = await harness.started()
      const told = `${nameOf(inlet)}.pull, told to stop,`
      const early = harness.update()
      early.cancel()
      await harness.calls.outcome(told, () => inlet.pull(early.update))
      await tellEnd(harness, inlet, early.update, false)
      const late = harness.update()
      await harness.calls.outcome(told, () => {
        const pulling = inlet.pull(late.update)
        late.cancel()
        return pulling
      })
      await tellEnd(harness, inlet, late.update, false)
      await harness.calls.succeed(`${nameOf(inlet)}.pull, after one that was told to stop,`, () =>
        inlet.pull(harness.update().update),
      )
    },
  },
  {
    name: 'takes in how its transfers ended, and pulls on',
    holds: async (harness) => {
      const inlet = await harness.started()
      for (const delivered of [false, true]) {
        const { update } = harness.update()
        await harness.calls.succeed(`${nameOf(inlet)}.pull`, () => inlet.pull(update))
        await tellEnd(harness, inlet, update, delivered)
      }
      // its pull was refused, or gave nothing
      await tellEnd(harness, inlet, harness.update().update, false)
      await pull(harness, inlet)
    },
  },
  {
    name: 'pulls for two links at once',
    holds: async (harness) => {
      const inlet = await harness.started()
      const both = await Promise.all([pull(harness, inlet), pull(harness, inlet)])
      if (harness.setup.repeatable !== true) return
      const other = await harness.started()
      const inTurn = [await pull(harness, other), await pull(harness, other)]
      const sorted = (pulled: unknown[]) =>
        pulled
          .flatMap(payloadsOf)
          .map((payload) => inspect(payload))
          .sort()
      claimEqual(
        sorted(both),
        sorted(inTurn),
        `${nameOf(inlet)}.pull gave two links at once other payloads than two pulls in turn`,
      )
    },
  },
  {
    name: 'hands over its state, so that another instance carries on',
    holds: async (harness) => {
      const inlet = await harness.started()
      await pull(harness, inlet)
      const heir = await harness.make()
      const state = await handOver(harness, inlet, heir)
      const wanted = await pull(harness, inlet)
      await harness.stop(inlet)
      await harness.start(heir)
      const got = await pull(harness, heir)
      if (state === undefined || harness.setup.repeatable === false) return
      claimEqual(
        payloadsOf(got),
        payloadsOf(wanted),
        `${nameOf(inlet)} with the state of another gave ${show(got)}: expected ${show(wanted)}, which that one would have given next`,
      )
    },
  },
]

const PAYLOADS_CAN_BE_COPIED: Check<InletHarness> = {
  name: 'gives payloads that can be copied',
  holds: async (harness) => {
    const inlet = await harness.started()
    for (const payload of payloadsOf(await pull(harness, inlet))) {
      try {
        structuredClone(payload)
      } catch (error) {
        claim(
          false,
          `${nameOf(inlet)}.pull gave a payload that cannot be copied (${toError(error).message}): give plain data`,
        )
      }
    }
  },
}

function givesExpected(expected: number): Check<InletHarness> {
  return {
    name: `gives ${expected} records at its first pull`,
    holds: async (harness) => {
      const inlet = await harness.started()
      const { length } = listOf(await pull(harness, inlet))
      claim(length === expected, `${nameOf(inlet)}.pull gave ${length} records: expected ${expected}`)
    },
  }
}

/** An inlet with this metadata, also where `create` takes no options to hand on. */
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

function payloadsOf(pulled: unknown): unknown[] {
  return listOf(pulled).map((item) => (isRecord(item) ? item.payload : item))
}

function claimPulled(inlet: Inlet, pulled: unknown): void {
  const call = `${nameOf(inlet)}.pull`
  const expected = 'expected a value, a Record, a list of them, or a promise of those'
  claim(pulled !== undefined, `${call} gave undefined: ${expected}`)
  claim(!isStream(pulled), `${call} gave a stream or iterator: collect what it yields into a list`)
  for (const [at, item] of listOf(pulled).entries()) {
    const where = `at ${at} of its list`
    claim(item !== undefined, `${call} gave undefined ${where}: ${expected}`)
    claim(!isPromise(item), `${call} gave a promise ${where}: await them all, as by Promise.all()`)
  }
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function isStream(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || isRecord(value)) return false
  return Symbol.asyncIterator in value || ('next' in value && typeof value.next === 'function')
}
