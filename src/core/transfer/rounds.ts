import { keepLater, settleProgress, settleReleased } from './acknowledge.js'
import type { TransferParts } from './parts.js'
import { bufferedBy } from './process.js'
import { mayGoOn, type Pulls } from './pull.js'
import { endPushes } from './push.js'
import { makeRound, type PushBatches } from './round.js'
import { RoundQueue, type Round } from './round-queue.js'
import { Sources, YIELDED_LATE } from './sources.js'
import type { Tally } from './tally.js'

/**
 * Makes the rounds of a transfer: each takes the next list of each inlet, and is processed, grouped and pushed before the
 * next one is. Meanwhile at most the lists of the next one are pulled, where that takes time without holding the thread up.
 * Between rounds, others in the thread have their turn.
 *
 * ```
 *   pull      1 | 2 ------ | 3 ------ | 4 ---    the next list, while a round is made
 *   round         1 --------  2 -------  3 --    process > group > push
 * ```
 *
 * It ends with the streams, with a round in which something failed (unless that is ignored, or an outlet only refused
 * records), with a pull that failed once the rounds before it are made, and between rounds when it is told to stop or to end. What was pulled by then is dropped,
 * and counted; a transfer that is told to end, as its planner shuts down, pushes it.
 */
export async function transferInRounds(
  parts: TransferParts,
  { all }: Pulls,
  tally: Tally,
  push: PushBatches | undefined,
): Promise<void> {
  const { inlets, settings } = parts
  const sources = new Sources(inlets, all, settings.inletConcurrency, tally)
  const queue = new RoundQueue(sources, settings.rounds, () => mayMakeRounds(parts, tally), tally.waits)
  tally.beginStream()
  let isComplete = false
  try {
    await makeRounds({ parts, tally, push }, queue, sources)
    isComplete = sources.isComplete && !tally.isOver
  } finally {
    tally.endStream()
    await sources.end()
    const why = 'their transfer ended before their round'
    const left = await queue.left(
      () => tally.waits.turn(),
      (records) => {
        tally.logDrop(records, why)
      },
    )
    const refused = sources.takeRefused()
    const all = left + refused
    if (tally.delivery === undefined) {
      tally.drop(left, why)
      tally.drop(refused, YIELDED_LATE)
      tally.pulled += all
    } else {
      tally.delivery.cutShort(tally.update, tally.wholeLists)
    }
    const stopped = tally.cancelled
    if (stopped !== undefined && all > 0 && tally.errors.length === 0) tally.fail(stopped, 'transfer', 'pull')
    isComplete &&= all === 0
  }
  if (parts.processors.length > 0) tally.buffered = bufferedBy(parts.processors)
  await endPushes(parts, tally, isComplete)
}

function mayMakeRounds(parts: TransferParts, tally: Tally): boolean {
  return tally.delivery === undefined ? mayGoOn(parts, tally) : !tally.isOver
}

/** What each round of a transfer is made with. */
interface RoundMaker {
  readonly parts: TransferParts
  readonly tally: Tally
  readonly push: PushBatches | undefined
}

async function makeRounds(maker: RoundMaker, queue: RoundQueue, sources: Sources): Promise<void> {
  const { parts, tally } = maker
  for (;;) {
    const round = await nextRound(queue, sources, tally)
    if (round === undefined) break
    await makeOne(maker, round, queue)
    if (tally.isOver) break
    await tally.waits.turn()
  }
  const stopped = tally.cancelled
  if (stopped !== undefined) sources.stop(stopped)
  // buffers are asked in a transfer without records, too
  const isEmpty = tally.rounds === 0 && !tally.ending && mayGoOn(parts, tally)
  if (isEmpty) await makeOne(maker, { records: [], lists: 0, whole: 0 })
}

/** Waits for the next round; when the transfer is told to end meanwhile, for what comes of streams that end for it. */
async function nextRound(queue: RoundQueue, sources: Sources, tally: Tally): Promise<Round | undefined> {
  if (tally.ending) queue.stop()
  const next = queue.next()
  if (!(next instanceof Promise)) return next
  if (!tally.ending) await tally.untilEnding(next)
  if (!tally.ending) return next
  queue.stop()
  await sources.end()
  return Promise.race([next, tally.waits.turn().then(() => undefined)])
}

/** @param queue - pulls the next round meanwhile; left out when there is none */
async function makeOne({ parts, tally, push }: RoundMaker, round: Round, queue?: RoundQueue): Promise<void> {
  tally.beginRound(round)
  if (!tally.ending) queue?.pullAhead()
  tally.pulled += round.records.length
  const make = () => makeRound(parts, round.records, tally, true, push)
  const { trace } = tally
  tally.endRound(await (trace === undefined ? make() : trace.round(tally.rounds, round.records.length, make)))
  if (tally.released !== undefined && !keepLater(parts.outlets, tally)) await settleReleased(tally)
  if (tally.delivery !== undefined) await settleProgress(tally, parts.outlets)
}
