import { counted } from '../base/counted.js'
import { getLogger } from '../base/log.js'
import type { Hit } from '../threads/main/hosting.js'
import type { LostThread } from '../threads/main/thread-pool-options.js'
import type { ThreadLostEvent } from '../operate/planner-events.js'

/** Effect of the loss of a thread that hosts no links yet. */
const NO_HIT: Hit = { names: [], buffered: () => 0, culprit: undefined }

/**
 * The loss of a thread, as an event.
 *
 * @returns logs and gives the event; to be called once the reports that the thread had sent before have been taken in, as what
 * their transfers left in buffers is lost too
 */
export function threadLoss({ thread, runs, error }: LostThread, hit: Hit = NO_HIT): () => ThreadLostEvent {
  const { names: links, culprit } = hit
  const quarantinedUntil = culprit?.quarantinedUntil
  return () => {
    const buffered = hit.buffered()
    const by = culprit === undefined ? '' : ` by ${culprit.name}`
    getLogger('databay.WorkerPlanner').error(
      { err: error },
      `thread ${thread.number} was lost${by} with ${counted(runs.length, 'transfer')} and ${counted(buffered, 'buffered record')}: ${error.message}`,
    )
    return {
      thread: thread.number,
      error,
      culprit: culprit?.name,
      quarantinedUntil,
      links,
      transfers: runs.length,
      buffered,
    }
  }
}
