import type { Inlet } from '../inlet.js'
import { nodeName } from '../node.js'
import type { Tally } from './tally.js'

/**
 * Tells inlets whether what they gave was delivered. What fails is counted and logged as a part of the pull.
 *
 * @param pulls - the inlets that were pulled and want to know, and whether their pull did well
 */
export async function tellInlets(pulls: ReadonlyMap<Inlet, boolean>, tally: Tally): Promise<void> {
  const { delivered } = tally
  await Promise.all([...pulls].map(([inlet, pulled]) => tell(inlet, pulled && delivered, tally)))
}

async function tell(inlet: Inlet, delivered: boolean, tally: Tally): Promise<void> {
  const stopped = tally.cancelled
  try {
    await tally.call(() => inlet.onTransferEnd?.(tally.update, delivered))
  } catch (thrown) {
    // a transfer that was told to stop waits for nothing, and its report says so already
    if (stopped === undefined || thrown !== stopped) tally.fail(thrown, nodeName(inlet), 'pull')
  }
}
