import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { show } from '../../base/errors.js'
import { isRecord, type Record } from '../../core/record.js'
import { claim } from '../claims.js'
import { nameOf } from '../node-harness.js'
import { claimNoSecrets, errorText } from '../node-checks.js'
import type { Check } from '../runner.js'
import { type Create, type InletHarness, pull, listOf } from './inlet-harness.js'

export const SHOWS_NO_SECRET: Check<InletHarness> = {
  name: 'shows no secret',
  holds: async (harness) => {
    const inlet = await harness.started()
    const places: [string, string][] = [['its toString()', String(inlet)]]
    for (const item of listOf(await pull(harness, inlet))) {
      const record: Record = isRecord(item) ? item : inlet.newRecord(item)
      places.push(["a record's metadata", inspect(record.metadata, { depth: 6 })])
    }
    await harness.stop(inlet)
    const { failing } = harness.setup
    if (failing !== undefined) {
      const { error } = await failure(harness, failing)
      if (error !== undefined) places.push(['an error', errorText(error)])
    }
    claimNoSecrets(harness, inlet, places)
  },
}

export function refusesToFailSilently(failing: Create): Check<InletHarness> {
  return {
    name: 'is refused when its source fails',
    holds: async (harness) => {
      const { inlet, error, pulled } = await failure(harness, failing)
      claim(
        error !== undefined,
        `${nameOf(inlet)}.pull gave ${show(pulled)} though its source fails: reject, as nobody can tell that from data`,
      )
    },
  }
}

export function stopsHanging(hanging: Create): Check<InletHarness> {
  return {
    name: 'ends a pull that hangs when it is told to stop',
    holds: async (harness) => {
      const inlet = await harness.make({}, hanging, 'hanging')
      await harness.start(inlet)
      const { update, cancel } = harness.update()
      const pulling = harness.calls.outcome(`${nameOf(inlet)}.pull, told to stop while its source hangs,`, () =>
        inlet.pull(update),
      )
      const early = await Promise.race([pulling, delay(20, undefined)])
      claim(early === undefined, 'hanging() gave an inlet whose pull ended by itself: that shows nothing')
      cancel()
      await pulling
      await harness.stop(inlet)
    },
  }
}

/** What an inlet whose source fails does. */
async function failure(harness: InletHarness, failing: Create) {
  const inlet = await harness.make({}, failing, 'failing')
  const started = await harness.calls.outcome(`${nameOf(inlet)}.onStart, as its source fails,`, () => inlet.tryStart())
  if ('error' in started) return { inlet, error: started.error, pulled: undefined }
  const outcome = await harness.calls.outcome(`${nameOf(inlet)}.pull, as its source fails,`, () =>
    inlet.pull(harness.update().update),
  )
  return 'error' in outcome
    ? { inlet, error: outcome.error, pulled: undefined }
    : { inlet, error: undefined, pulled: outcome.value }
}
