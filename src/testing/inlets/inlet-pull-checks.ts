import { inspect } from 'node:util'
import { show, toError } from '../../base/errors.js'
import type { Inlet } from '../../core/inlet.js'
import { isRecord } from '../../core/record.js'
import { claim, claimEqual } from '../claims.js'
import { handOffState } from '../node-checks.js'
import { nameOf } from '../node-harness.js'
import type { Check } from '../runner.js'
import type { InletHarness } from './inlet-harness.js'
import { stepsOf } from '../../core/transfer/pulled-stream.js'
import { listOf, payloadsOf } from './pulled.js'

/** Checks of pulls and their results. */
export const PULL_CHECKS: Check<InletHarness>[] = [
  {
    name: 'pulls a value, a Record, or a list of them',
    holds: async (harness) => {
      const inlet = await harness.started()
      for (let round = 0; round < 3; round++) claimPulled(inlet, await harness.pull(inlet))
    },
  },
  {
    name: 'ends a stream whose return() is called',
    holds: async (harness) => {
      const inlet = await harness.started()
      const { update } = harness.update()
      const name = `${nameOf(inlet)}.pull`
      for (const taken of [0, 1]) {
        const steps = stepsOf(await harness.calls.succeed(name, () => inlet.pull(update, inlet.memoryCursor)))
        if (steps !== undefined) {
          const next = () => steps.next() as Promise<{ readonly done?: boolean }>
          if (taken > 0) await harness.calls.succeed(`${name}, a step of its stream,`, next)
          await harness.calls.succeed(`${name}, return() of its stream,`, () => steps.return?.() as Promise<unknown>)
          const { done } = await harness.calls.succeed(`${name}, a step of its stream behind return(),`, next)
          claim(done === true, `the stream of ${name} has to end with its return()`)
        }
        await harness.endTransfer(inlet, update, false)
      }
      await harness.pull(inlet)
    },
  },
  {
    name: 'leaves alone what it has given',
    holds: async (harness) => {
      const inlet = await harness.started()
      const first = await harness.pull(inlet)
      const before = inspect(first, { depth: Infinity, maxArrayLength: Infinity })
      await harness.pull(inlet)
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
      await harness.calls.outcome(told, () => inlet.pull(early.update, inlet.memoryCursor))
      await harness.endTransfer(inlet, early.update, false)
      const late = harness.update()
      await harness.calls.outcome(told, () => {
        const pulling = inlet.pull(late.update, inlet.memoryCursor)
        late.cancel()
        return pulling
      })
      await harness.endTransfer(inlet, late.update, false)
      await harness.calls.succeed(`${nameOf(inlet)}.pull, after one that was told to stop,`, () =>
        inlet.pull(harness.update().update, inlet.memoryCursor),
      )
    },
  },
  {
    name: 'takes in how its transfers ended, and pulls on',
    holds: async (harness) => {
      const inlet = await harness.started()
      for (const delivered of [false, true]) {
        const { update } = harness.update()
        await harness.calls.succeed(`${nameOf(inlet)}.pull`, () => inlet.pull(update, inlet.memoryCursor))
        await harness.endTransfer(inlet, update, delivered)
      }
      // the end of a transfer whose pull failed, or gave nothing
      await harness.endTransfer(inlet, harness.update().update, false)
      await harness.pull(inlet)
    },
  },
  {
    name: 'pulls for two links at once',
    holds: async (harness) => {
      const inlet = await harness.started()
      const both = await Promise.all([harness.pull(inlet), harness.pull(inlet)])
      if (harness.setup.repeatable !== true) return
      const other = await harness.started()
      const inTurn = [await harness.pull(other), await harness.pull(other)]
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
      await harness.pull(inlet)
      const heir = await harness.make()
      const state = await handOffState(harness, inlet, heir)
      const wanted = await harness.pull(inlet)
      await harness.stop(inlet)
      await harness.start(heir)
      const got = await harness.pull(heir)
      if (state === undefined || harness.setup.repeatable === false) return
      claimEqual(
        payloadsOf(got),
        payloadsOf(wanted),
        `${nameOf(inlet)} with the state of another gave ${show(got)}: expected ${show(wanted)}, which that one would have given next`,
      )
    },
  },
]

/** Check of a set-up that is `cloneable`. */
export const PAYLOADS_CAN_BE_COPIED: Check<InletHarness> = {
  name: 'gives payloads that can be copied',
  holds: async (harness) => {
    const inlet = await harness.started()
    for (const payload of payloadsOf(await harness.pull(inlet))) {
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

/** Check of a set-up that gives the number of `expected` records. */
export function givesExpected(expected: number): Check<InletHarness> {
  return {
    name: `gives ${expected} records at its first pull`,
    holds: async (harness) => {
      const inlet = await harness.started()
      const { length } = listOf(await harness.pull(inlet))
      claim(length === expected, `${nameOf(inlet)}.pull gave ${length} records: expected ${expected}`)
    },
  }
}

function claimPulled(inlet: Inlet, pulled: unknown): void {
  const call = `${nameOf(inlet)}.pull`
  const expected = 'expected a value, a Record, a list of them, or a promise of those'
  claim(pulled !== undefined, `${call} gave undefined: ${expected}`)
  for (const [at, item] of listOf(pulled).entries()) {
    const where = `at ${at} of its list`
    claim(item !== undefined, `${call} gave undefined ${where}: ${expected}`)
    claim(!isStream(item), `${call} gave a stream or iterator ${where}: collect what it yields into a list`)
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
