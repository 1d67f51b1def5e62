/**
 * Streams in a process that has done nothing yet, and prints what it took as JSON.
 *
 *   node dist/bench/children/stream.js links|functions TOTAL RECORDS LIST
 *   node dist/bench/children/stream.js beside 0 FROM TO
 *   node dist/bench/children/stream.js alone MILLISECONDS FROM TO
 */
import { setTimeout as delay } from 'node:timers/promises'
import { ClosedLoop } from '../closed-loop.js'
import { check } from '../measure.js'
import { summary } from '../statistics.js'
import { copyByHand, makeRows, score } from '../work/rows.js'
import { costOf } from './cost.js'

const [kind = '', first = '', second = '', third = ''] = process.argv.slice(2)

const KINDS: { readonly [name: string]: () => Promise<object> } = {
  links: () => byLinks(Number(first), Number(second), Number(third)),
  functions: () => byFunctions(Number(first), Number(third)),
  beside: () => neighbour(0),
  alone: () => neighbour(Number(first)),
}

const measure = KINDS[kind]
if (measure === undefined) throw new Error(`there is nothing to measure called '${kind}'`)
process.stdout.write(JSON.stringify(await measure()), () => process.exit())

/** Records in transfers of `records` each; with a list of 0, each pull returns all of them at once. */
async function byLinks(total: number, records: number, list: number) {
  const module = (use: string, some: number) =>
    new URL(`../links/streaming.js?use=${use}&records=${some}&list=${list}&whole=${list === 0}`, import.meta.url)
  const modules = [module('warm', Math.min(10_000, records)), module('measured', records)]
  const loop = await ClosedLoop.start(modules, { threads: 1 })
  const [warm, measured] = loop.planner.links.map((link) => [link])
  let transfers = 0
  await loop.run(
    () => ++transfers === 20,
    () => undefined,
    warm,
  )
  let made = 0
  const cost = await costOf(async () => {
    await loop.run(
      () => made >= total,
      ({ pulled, outlets }) => {
        check('records pulled', pulled, records)
        check('records pushed', outlets[0]?.pushed, records)
        made += records
      },
      measured,
    )
    return made
  })
  await loop.close()
  return cost
}

/** The same work as plain functions: a list at a time, with copies by hand. */
async function byFunctions(total: number, list: number) {
  const some = (records: number) => {
    let sum = 0
    for (let made = 0; made < records; made += list) {
      for (const { id } of makeRows(Math.min(list, records - made), made)
        .map(score)
        .map(copyByHand))
        sum += id
    }
    check('sum', sum, (records * (records - 1)) / 2)
    return Promise.resolve(records)
  }
  await some(200_000)
  return costOf(() => some(total))
}

/** How much later than its ten milliseconds a waiting link is done: alone for a time, or while another copies a file in its thread. */
async function neighbour(milliseconds: number) {
  const module = new URL(
    `../links/copying.js?${new URLSearchParams({ from: second, to: third }).toString()}`,
    import.meta.url,
  )
  const { planner } = await ClosedLoop.start(module, { threads: 1 })
  const link = (name: string) => planner.links.filter((one) => one.name === name)
  const late: number[] = []
  const wait = async () => {
    const at = performance.now()
    await planner.forceTransfer(link('neighbour'))
    late.push(Math.max(0, performance.now() - at - 10))
  }
  await wait()
  late.length = 0
  const beside = { isOver: false }
  const waiting = (async () => {
    do await wait()
    while (!beside.isOver)
  })()
  if (milliseconds > 0) await delay(milliseconds)
  else check('errors', (await planner.forceTransfer(link('copy')))[0]?.errors.length, 0)
  beside.isOver = true
  await waiting
  await planner.shutdown()
  const { p50, p99, max } = summary(late)
  return { 'late p50': p50, 'late p99': p99, 'late max': max }
}
