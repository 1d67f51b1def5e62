import { toError } from '../../base/errors.js'
import type { Node } from '../../core/node.js'
import type { Link } from '../../core/link.js'
import { getLogger } from '../../base/log.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import type { StatefulProcessor } from '../../core/processor.js'

/** State of a link: what its parts hand off, in the order of the parts. */
export type LinkState = readonly { readonly kind: string; readonly state: unknown }[]

/** Parts of a link that may keep something between transfers: its nodes, and its stateful processors. */
function partsOf(link: Link): (Node | StatefulProcessor)[] {
  return [...link.nodes(), ...statefulProcessors(link)]
}

/** Stateful processors of a link and its outlets. */
export function statefulProcessors(link: Link): StatefulProcessor[] {
  const found: unknown[] = []
  const take = (processors: readonly unknown[]) => {
    for (const processor of processors) if (typeof processor === 'object') found.push(processor)
  }
  take(link.processors)
  for (const outlet of link.outlets) take(outlet.processors)
  return found as StatefulProcessor[]
}

/**
 * Saves the state of a link. Parts may take their time for it.
 *
 * @param saved - parts whose state was saved already, with another link: it is left out. The link's parts are added
 */
export async function stateOf(link: Link, saved: Set<object>): Promise<LinkState> {
  // all parts are asked before any is waited for: links that share a part hand it off once
  const states = partsOf(link).map((part) => {
    const kind = part.constructor.name
    if (saved.has(part)) return { kind, state: undefined }
    saved.add(part)
    return { kind, state: saveOne(part) }
  })
  return Promise.all(states.map(async ({ kind, state }) => ({ kind, state: await state })))
}

// also one that throws at once gives a promise: others that are asked beside it are waited for
async function saveOne(part: Node | StatefulProcessor): Promise<unknown> {
  return await part.saveState?.()
}

/** Gives each part the state of the part in its place, unless the link's code has changed and it is of another kind. */
export function restore(link: Link, states: LinkState): MaybePromise<void> {
  const parts = partsOf(link)
  let restored: MaybePromise<unknown>
  for (const [index, { kind, state }] of states.entries()) {
    if (state === undefined) continue
    const part = parts[index]
    if (part?.constructor.name === kind && part.restoreState !== undefined)
      restored = then(restored, () => part.restoreState?.(state))
    else
      getLogger('databay.LinkHost').warn(
        `${link.name} has no ${kind} any more in place ${index + 1}: what it kept is dropped`,
      )
  }
  return then(restored, () => undefined)
}

/** Has the processors of a link drop what they hold. */
export async function reset(link: Link): Promise<void> {
  await Promise.all(statefulProcessors(link).map((processor) => resetOne(link, processor)))
}

async function resetOne(link: Link, processor: StatefulProcessor): Promise<void> {
  try {
    await (processor.reset?.() as unknown)
  } catch (thrown) {
    const name = processor.constructor.name
    getLogger('databay.LinkHost').error({ err: toError(thrown) }, `${name} of ${link.name} failed to reset`)
  }
}
