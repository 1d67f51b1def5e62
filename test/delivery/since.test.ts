import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { HttpInlet } from '../../src/connectors/http/http-inlet.js'
import type { HttpInletOptions } from '../../src/connectors/http/inlet/inlet-options.js'
import { Link } from '../../src/core/link.js'
import { Outlet } from '../../src/core/outlet.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { DurableProgram, isBuilt, judge } from '../helpers/durable-programs.js'
import { captureLogs } from '../helpers/logs.js'
import { Kept } from '../helpers/durable-links.js'
import { serve } from '../helpers/servers.js'

const skip = !isBuilt && 'the package is not built'

async function transfer(folder: string, inlets: HttpInlet, outlets: Outlet, times: number) {
  const link = new Link({
    id: 'a',
    delivery: 'cursor',
    inlets,
    outlets,
    interval: 3600,
    immediateTransfer: false,
  } as never)
  const planner = new SchedulePlanner(link, { store: join(folder, 'store'), ignoreExceptions: true })
  await planner.start()
  for (let time = 0; time < times; time++) await planner.forceTransfer()
  await planner.shutdown()
}

t.test('the value survives a restart, and one of what was not delivered is not kept', async (t) => {
  captureLogs(t)
  const folder = t.testdir()
  const asked: unknown[] = []
  const { url } = await serve(t, (request, response) => {
    const since = new URL(request.url ?? '', 'http://localhost').searchParams.get('since')
    asked.push(since)
    response.setHeader('x-next', `t${Number((since ?? 't0').slice(1)) + 1}`).end(`["${since ?? 'first'}"]`)
  })
  const inlet = (more: HttpInletOptions = {}) =>
    new HttpInlet(url, { since: { param: 'since', header: 'x-next' }, ...more })
  let isDown = false
  const outlet = new Kept(() => isDown)
  await transfer(folder, inlet(), outlet, 2)
  isDown = true
  await transfer(folder, inlet(), outlet, 1)
  isDown = false
  await transfer(folder, inlet(), outlet, 1)
  t.same(outlet.got, ['first', 't1', 't2'])
  t.same([...new Set(asked)], [null, 't1', 't2'])
  t.equal(asked.slice(0, 2).join(), ',t1')
})

t.test('a value that is no JSON, or longer than 64 KiB, fails the pull, and nothing is kept of it', async (t) => {
  const { messages } = captureLogs(t, 'error')
  const folder = t.testdir()
  const { url } = await serve(t, (_, response) => response.end('[1]'))
  for (const [value, message] of [
    [() => 'x'.repeat(70_000), /at most 65536 bytes of JSON/],
    [() => ({ at: new Date() }), /JSON/],
  ] as const) {
    const outlet = new Kept()
    const inlet = new HttpInlet(url, { since: { request: () => undefined, value } })
    await transfer(folder, inlet, outlet, 1)
    t.same(outlet.got, [])
    t.match(messages().join('\n'), message)
  }
})

t.test(
  'a process that is killed in the middle of many pages goes on behind the last that was delivered',
  { skip },
  async (t) => {
    const pages = 60
    const size = 10
    const asked: string[] = []
    let reach: (() => void) | undefined
    const reached = new Promise<void>((resolve) => (reach = resolve))
    const { url } = await serve(t, (request, response) => {
      const query = new URL(request.url ?? '', 'http://localhost').searchParams
      const page = Number(query.get('page') ?? 0)
      if (page === 0) asked.push(query.get('since') ?? 'none')
      if (page === 40 && reach !== undefined) {
        reach()
        return
      }
      const first = Number(query.get('since') ?? -1) + 1 + page * size
      const numbers = Array.from({ length: size }, (_, at) => first + at).filter((number) => number < pages * size)
      const next = new URLSearchParams({ ...Object.fromEntries(query), page: String(page + 1) })
      const items = numbers.map((id) => ({ id }))
      response.end(JSON.stringify({ items, next: numbers.length === 0 ? null : `?${next.toString()}` }))
    })
    const program = new DurableProgram(
      t.testdir(),
      `const { HttpInlet, Link, FileOutlet } = databay
    export const numbers = new Link({
      delivery: 'cursor', interval: 0.05,
      inlets: new HttpInlet('${url}', { select: 'items', next: 'next', since: { param: 'since', record: 'id' } }),
      processors: (records) => records.map((record) => record.with({ payload: String(record.payload.id) })),
      outlets: new FileOutlet('out.txt'),
    })`,
    )
    const first = await program.start()
    await Promise.race([reached, wait(20_000, undefined, { ref: false })])
    await first.kill()
    reach = undefined
    const written = program.lines('out.txt').length
    t.ok(written >= 300, `${written} records of 40 pages were delivered`)
    const second = await program.start()
    const deadline = Date.now() + 20_000
    while (program.lines('out.txt').length < pages * size && Date.now() < deadline) await wait(20)
    await second.end()
    t.equal(asked[0], 'none')
    t.ok(Number(asked[1]) >= written - 2 * size, `it went on at ${asked[1]}`)
    t.match(judge(program.lines('out.txt')), { lost: 0, ahead: 0, last: pages * size - 1 })
  },
)
