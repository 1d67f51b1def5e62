import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { show } from '../../base/errors.js'
import { isRecord, type Record } from '../../core/record.js'
import { claim } from '../claims.js'
import { nameOf } from '../node-harness.js'
import { claimNoSecrets, errorText } from '../node-checks.js'
import type { Check } from '../runner.js'
import type { InletHarness } from './inlet-harness.js'
import type { CreateInlet } from './inlet-setup.js'
import { listOf } from './pulled.js'

/** Check of a set-up with an inlet that is `failing`. */
export function refusesToFailSilently(failing: CreateInlet): Check<InletHarness> {
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

/** Check of a set-up with an inlet that is `hanging`. */
export function stopsHanging(hanging: CreateInlet): Check<InletHarness> {
  return {
    name: 'ends a pull that hangs when it is told to stop',
    holds: async (harness) => {
      const inlet = await harness.make({}, hanging, 'hanging')
      await harness.start(inlet)
      const { update, cancel } = harness.update()
      const pulling = harness.calls.outcome(`${nameOf(inlet)}.pull, told to stop while its source hangs,`, () =>
        inlet.pull(update, inlet.memoryCursor),
      )
      const early = await Promise.race([pulling, delay(20, undefined)])
      claim(early === undefined, 'hanging() gave an inlet whose pull ended by itself: that shows nothing')
      cancel()
      await pulling
      await harness.stop(inlet)
    },
  }
}

/** Check of a set-up that has `secrets`. */
export const SHOWS_NO_SECRET: Check<InletHarness> = {
  name: 'shows no secret',
  holds: async (harness) => {
    const inlet = await harness.started()
    const places: [string, string][] = [['its toString()', String(inlet)]]
    for (const item of listOf(await harness.pull(inlet))) {
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

/** Starts an inlet whose source fails, and pulls from it. Gives the error, or else the pulled records. */
async function failure(harness: InletHarness, failing: CreateInlet) {
  const inlet = await harness.make({}, failing, 'failing')
  const started = await harness.calls.outcome(`${nameOf(inlet)}.onStart, as its source fails,`, () => inlet.tryStart())
  if ('error' in started) return { inlet, error: started.error, pulled: undefined }
  const outcome = await harness.calls.outcome(`${nameOf(inlet)}.pull, as its source fails,`, () =>
    inlet.pull(harness.update().update, inlet.memoryCursor),
  )
  return 'error' in outcome
    ? { inlet, error: outcome.error, pulled: undefined }
    : { inlet, error: undefined, pulled: outcome.value }
}
