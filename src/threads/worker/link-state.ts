import { counted, isOrAre } from '../../base/counted.js'
import { toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import type { Link } from '../../core/link.js'
import type { Held } from '../../core/link-accounts.js'
import { nodeName, type Node } from '../../core/node.js'
import type { AnyStatefulProcessor } from '../../core/processor.js'
import { acceptSize, bufferedBy } from '../../core/transfer/process.js'

/** What the parts of a link hand off, in the order of the parts. */
export type PartStates = readonly PartState[]

/** State of a node or a stateful processor. */
interface PartState {
  /** Class of the part. */
  readonly kind: string
  readonly state: unknown
  /** Of a processor: whose it is, 0 for the link's own and 1, 2, ... for those of its outlets. */
  readonly owner?: number
  /** Of a processor: number of the records that it held. */
  readonly held?: number
}

/** A stateful processor, and whose it is: see {@link PartState.owner}. */
interface OwnedProcessor {
  readonly processor: AnyStatefulProcessor
  readonly owner: number
}

/** Stateful processors of a link and its outlets. */
export function statefulProcessors(link: Link): AnyStatefulProcessor[] {
  return ownedProcessors(link).map(({ processor }) => processor)
}

function ownedProcessors(link: Link): OwnedProcessor[] {
  return [link, ...link.outlets].flatMap(({ processors }, owner) =>
    processors.flatMap((processor) => (typeof processor === 'object' ? [{ processor, owner }] : [])),
  )
}

/**
 * Saves the states of a link's parts. They may take their time for it.
 *
 * @param saved - parts whose state was saved already, with another link: it is left out. The link's parts are added
 */
export async function stateOf(link: Link, saved: Set<object>): Promise<PartStates> {
  const nodes = link.nodes().map((node) => saveOne(node, saved, {}))
  const processors = ownedProcessors(link).map(({ processor, owner }) =>
    saveOne(processor, saved, { owner, held: saved.has(processor) ? 0 : sizeOf(processor) }),
  )
  return Promise.all([...nodes, ...processors])
}

/** The processors of a link that hands off no state, with the numbers of the records that they hold. */
export function heldBy(link: Link): PartStates {
  return ownedProcessors(link).map(({ processor, owner }) => {
    return { kind: processor.constructor.name, state: undefined, owner, held: sizeOf(processor) }
  })
}

// all parts are asked before any is waited for: links that share a part hand it off once
async function saveOne(
  part: Node | AnyStatefulProcessor,
  saved: Set<object>,
  about: Pick<PartState, 'owner' | 'held'>,
): Promise<PartState> {
  const kind = part.constructor.name
  if (saved.has(part)) return { kind, state: undefined, ...about }
  saved.add(part)
  return { kind, state: await part.saveState?.(), ...about }
}

/** Numbers of the records that are in no state, as their buffers hand off none; `undefined` when there are none. */
export function unsaved(states: PartStates): Held | undefined {
  const lost: number[] = []
  for (const { state, owner = 0, held = 0 } of states) if (state === undefined) note(lost, owner, held)
  return lost.length === 0 ? undefined : lost
}

/**
 * Gives each node the state of the node in its place, unless the link's code has changed and it is of another kind.
 *
 * @param anyway - whether a node that cannot take over its state begins without it, which is logged. Otherwise this throws
 */
export function restoreNodes(link: Link, states: PartStates, anyway = false): MaybePromise<void> {
  const nodes = link.nodes()
  let restored: MaybePromise<unknown>
  for (const [index, { kind, state, owner }] of states.entries()) {
    if (state === undefined || owner !== undefined) continue
    const node = nodes[index]
    if (node?.constructor.name === kind && node.restoreState !== undefined)
      restored = then(restored, () => (anyway ? restoreOrBegin(link, node, state) : node.restoreState?.(state)))
    else
      getLogger('databay.LinkHost').warn(
        `${link.name} has no ${kind} any more in place ${index + 1}: what it kept is dropped`,
      )
  }
  return then(restored, () => undefined)
}

/** Gives a node its state. One that cannot take it begins as after the loss of its thread. At once where it can be. */
function restoreOrBegin(link: Link, node: Node, state: unknown): MaybePromise<void> {
  const begin = (thrown: unknown) => {
    const err = toError(thrown)
    getLogger('databay.LinkHost').error(
      { err },
      `${nodeName(node)} of ${link.name} does not take over its state: it begins without, as after the loss of its thread: ${err.message}`,
    )
  }
  try {
    const restoring = node.restoreState?.(state) as MaybePromise<void>
    return restoring instanceof Promise ? restoring.catch(begin) : undefined
  } catch (thrown) {
    begin(thrown)
  }
}

/**
 * Gives each stateful processor the state of the processor in its place. Called when the nodes have started: a link that
 * does not start leaves the records where they are.
 *
 * @param limited - calls a processor, which may take so long
 * @returns numbers of the records that no processor has taken, which is logged; `undefined` when there are none
 */
export async function restoreProcessors(
  link: Link,
  states: PartStates,
  limited: (work: () => unknown) => MaybePromise<unknown>,
): Promise<Held | undefined> {
  const waiting = ownedProcessors(link)
  const lost: number[] = []
  for (const { kind, state, owner, held = 0 } of states) {
    if (state === undefined || owner === undefined) continue
    const at = waiting.findIndex((one) => one.owner === owner && one.processor.constructor.name === kind)
    const [found] = waiting.splice(at, at < 0 ? 0 : 1)
    const left = found === undefined ? held : await restoreOne(link, found.processor, state, held, limited)
    if (found === undefined) sayLost(link, kind, left, 'the link has no such processor any more')
    note(lost, owner, left)
  }
  return lost.length === 0 ? undefined : lost
}

/** Gives a processor its state. Gives the number of records that it has not taken. */
async function restoreOne(
  link: Link,
  processor: AnyStatefulProcessor,
  state: unknown,
  held: number,
  limited: (work: () => unknown) => MaybePromise<unknown>,
): Promise<number> {
  // one that links share may hold records already
  const before = sizeOf(processor)
  let why = 'it took fewer than it had handed off'
  let err: Error | undefined
  try {
    if (processor.restoreState === undefined) throw new Error('it has no restoreState()')
    await limited(() => processor.restoreState?.(state))
  } catch (thrown) {
    err = toError(thrown)
    why = err.message
  }
  acceptSize(processor)
  const left = Math.max(0, held - (sizeOf(processor) - before))
  if (left > 0 || err !== undefined) sayLost(link, processor.constructor.name, left, why, err)
  return left
}

/** Has the processors of a link drop what they hold. */
export async function reset(link: Link): Promise<void> {
  await Promise.all(statefulProcessors(link).map((processor) => resetOne(link, processor)))
}

async function resetOne(link: Link, processor: AnyStatefulProcessor): Promise<void> {
  try {
    await (processor.reset?.() as unknown)
  } catch (thrown) {
    const name = processor.constructor.name
    getLogger('databay.LinkHost').error({ err: toError(thrown) }, `${name} of ${link.name} failed to reset`)
  }
  acceptSize(processor)
}

/** Number of records that a processor holds; 0 when it cannot tell, which fails its transfers. */
function sizeOf(processor: AnyStatefulProcessor): number {
  try {
    return bufferedBy([processor])
  } catch {
    return 0
  }
}

/** Adds a number of lost records to those of their owner. */
function note(lost: number[], owner: number, records: number): void {
  if (records === 0) return
  while (lost.length <= owner) lost.push(0)
  lost[owner] = (lost[owner] ?? 0) + records
}

function sayLost(link: Link, kind: string, records: number, why: string, err?: Error): void {
  const what =
    records === 0 ? 'what it kept is dropped' : `${counted(records, 'buffered record')} ${isOrAre(records)} lost`
  getLogger('databay.LinkHost').error(
    err === undefined ? {} : { err },
    `${kind} of ${link.name} does not take over its state: ${what}: ${why}`,
  )
}
