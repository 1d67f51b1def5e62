import t, { type Test } from 'tap'
import { Hosting } from '../../../src/threads/main/hosting.js'
import type { ThreadLink } from '../../../src/threads/main/thread-link.js'
import type { LinkSpec } from '../../fixtures/links.js'
import { loopbackThread } from '../../helpers/loopback.js'
import { captureLogs } from '../../helpers/logs.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'
import { fixture, linkModule, measureThreads, openGate, pushedTo, tracesOf, until } from '../../helpers/threads.js'

measureThreads()

/** Hosting in threads without workers, and functions that use it. */
async function hosting(t: Test, size: number) {
  const logs = captureLogs(t, 'info')
  const places = await Promise.all(
    Array.from({ length: size }, async (_, at) => {
      const { thread, adopt } = loopbackThread(at + 1)
      t.teardown(() => thread.end())
      return { thread, adopt, loopback: await adopt() }
    }),
  )
  const threads = places.map(({ thread }) => thread)
  const unused = () => Promise.reject(new Error('not in these tests'))
  const pool = { threads, size, resize: unused, startReplacement: unused, replace: () => undefined, retire: unused }
  const made = new Hosting(pool)
  t.teardown(() => made.clear())
  const computing = new Set<string>()
  const host = (...links: LinkSpec[]) => {
    for (const { tags, acts } of links) if (acts?.includes(spin) === true) computing.add(tags)
    return made.host([linkModule(...links).href])
  }
  const where = (links: readonly ThreadLink[]) =>
    links.map((link) => `${link.name} ${link.threads.map(({ number }) => number).join('+')}`)
  /** Starts links and makes transfers of each until its lane is known. Gives the number of transfers. */
  const learn = async (links: readonly ThreadLink[]) => {
    let transfers = 0
    for (const link of links) await link.onStart()
    for (const link of links) {
      const lane = computing.has(link.name) ? 'cpu' : 'io'
      for (; link.lane !== lane; transfers++) await link.transfer()
    }
    return transfers
  }
  const said = () => logs.entries().flatMap(({ name, msg }) => (name === 'databay.WorkerPlanner' ? [msg] : []))
  return { made, logs, places, host, where, learn, said }
}

const spin = { spin: 10 }

t.test('links are spread over the threads, the least loaded first', async (t) => {
  const { host, where, made } = await hosting(t, 3)
  t.same(where(await host({ tags: 'a' }, { tags: 'b' }, { tags: 'c' }, { tags: 'd' })), ['a 1', 'b 2', 'c 3', 'd 1'])
  const later = await host({ tags: 'e' }, { tags: 'f' })
  t.same(where(later), ['e 2', 'f 3'])
  made.drop(later)
  t.same(where(await host({ tags: 'g' })), ['g 2'], 'those that were removed take no place')
})

t.test(
  'links that share an instance are in one thread, also across modules and with those that came before',
  async (t) => {
    const { host, where, made } = await hosting(t, 3)
    t.same(where(await host({ tags: 'a' }, { tags: 'b', shares: 'x' }, { tags: 'c' }, { tags: 'd', shares: 'x' })), [
      'a 1',
      'b 2',
      'c 3',
      'd 2',
    ])
    t.same(where(await host({ tags: 'e', shares: 'x' }, { tags: 'f' })), ['e 2', 'f 1'])
    const modules = [linkModule({ tags: 'g', shares: 'y' }), linkModule({ tags: 'h' }, { tags: 'i', shares: 'y' })]
    const [g, , i] = await made.host(modules.map(({ href }) => href))
    t.same(g?.threads, i?.threads)
  },
)

t.test('stateless links are in every thread, and take no place', async (t) => {
  const { host, where } = await hosting(t, 2)
  t.same(
    where(await host({ tags: 's1', stateless: true }, { tags: 'a' }, { tags: 's2', stateless: true }, { tags: 'b' })),
    ['s1 1+2', 'a 1', 's2 1+2', 'b 2'],
  )
})

t.test('links whose lanes are set are placed apart', async (t) => {
  const { host, where } = await hosting(t, 2)
  const links = [
    { tags: 'io1', lane: 'io' },
    { tags: 'cpu1', lane: 'cpu' },
    { tags: 'any', lane: 'auto' },
    { tags: 'cpu2', lane: 'cpu' },
  ] as const
  t.same(where(await host(...links)), ['io1 1', 'cpu1 2', 'any 1', 'cpu2 2'])
})

t.test('modules are known by their links until these are dropped', async (t) => {
  const { made } = await hosting(t, 2)
  const one = linkModule({ tags: 'a' }, { tags: 'b' }).href
  const other = linkModule({ tags: 'c' }).href
  const [a] = await made.host([one, other])
  t.same(made.linksOf(one).length, 2)
  made.drop(a === undefined ? [] : [a])
  t.same(
    made.linksOf(one).map(({ name }) => name),
    ['b'],
  )
  t.same(
    made.clear().map(({ name }) => name),
    ['b', 'c'],
  )
  t.same(made.linksOf(other), [])
  t.same(await made.host([]), [])
})

t.test('without threads no module can be loaded', async (t) => {
  const { made } = await hosting(t, 0)
  await t.rejects(made.host([linkModule({ tags: 'a' }).href]), { code: 'DATABAY_PLANNER_STATE' })
})

t.test('a module that cannot be used is an error that names it, and no link of any is hosted', async (t) => {
  const { made } = await hosting(t, 2)
  const good = linkModule({ tags: 'good' }).href
  const throws = fixture('modules/throws.mjs').href
  const missing = fixture('modules/missing.mjs').href
  await t.rejects(made.host([good, throws]), {
    name: 'LinkModuleError',
    code: 'DATABAY_LINK_MODULE',
    module: throws,
    message: `${throws}: failed to load: not today`,
    cause: { name: 'RangeError', message: 'not today' },
  })
  t.same(made.linksOf(good), [])
  await t.rejects(made.host([throws, good, missing]), {
    name: 'AggregateError',
    message: new RegExp(`${throws}: .*; .*${missing}: there is no such file`),
    errors: [{ module: throws }, { module: missing }],
  })
})

t.test('whenever a thread is lost, a transfer has failed or what it left in a buffer is told as lost', async (t) => {
  const seen = new Set<boolean>()
  for (let turns = 0; turns < 12; turns++) {
    const { made, host, places } = await hosting(t, 1)
    const [link] = await host({ tags: `held${turns}`, buffer: 9 })
    const [{ thread }] = places as [(typeof places)[0]]
    await link!.onStart()
    const transfer = link!.transfer()
    for (let turn = 0; turn < turns; turn++) await turnOfTheLoop()
    const error = new Error('gone')
    const hit = made.lost({ thread, error, ...thread.lose(error) })
    await turnOfTheLoop()
    const lost = hit.buffered()
    await places[0]!.adopt()
    const { errors } = await transfer
    seen.add(lost > 0)
    // a transfer that had not begun is made in the worker that takes the place, and nothing is lost
    t.equal(lost + link!.buffered, errors.length > 0 ? 0 : 1, `after ${turns} turns`)
  }
  t.equal(seen.size, 2, 'both were seen')
})

t.test('a thread that is lost is told by whom it hit', async (t) => {
  const { made, host, places } = await hosting(t, 2)
  const links = await host({ tags: 'a', buffer: 9 }, { tags: 'b' }, { tags: 's', stateless: true })
  for (const link of links) await link.onStart()
  await links[0]!.transfer()
  const [first] = places
  const error = new Error('gone')
  const lost = first!.thread.lose(error)
  const thread = first!.thread
  const hit = made.lost({ thread, error, ...lost })
  t.match(hit, { names: ['a', 's'], culprit: undefined })
  t.equal(hit.buffered(), 1)
  t.equal(hit.buffered(), 0, 'once')
  const loopback = await first!.adopt()
  t.match(await links[0]!.transfer(), { failed: false })
  t.equal(loopback.count('open'), 1, 'opened anew, in one message')
})

t.test('who ended a thread is the link that was inside, or the only one that transferred in it', async (t) => {
  const { made, host, places } = await hosting(t, 1)
  await host({ tags: 'a' }, { tags: 'b' })
  const { thread } = places[0]!
  const error = new Error('gone')
  const culprit = (runs: number[], inside?: number, traced = false) =>
    made.lost({ thread, error, runs, inside, traced }).culprit?.name
  t.equal(culprit([0, 1], 1), 'b')
  t.equal(culprit([0], 1), 'b')
  t.equal(culprit([0]), 'a')
  t.equal(culprit([0, 1]), undefined)
  t.equal(culprit([]), undefined)
  t.equal(culprit([0], undefined, true), undefined, 'it is not by a link, or more would be known')
  t.equal(culprit([0], 1, true), 'b')
  t.equal(culprit([0, 1], 99), undefined)
})

t.test('links that turn out to compute are moved away from those that wait, with their state', async (t) => {
  const { host, where, learn, said, logs } = await hosting(t, 2)
  const links = await host(
    { tags: 'waits1' },
    { tags: 'waits2' },
    { tags: 'computes', acts: [spin], movable: true, buffer: 1000 },
  )
  t.same(where(links), ['waits1 1', 'waits2 2', 'computes 1'])
  const [waits1, waits2, computes] = links
  await learn([waits1!, waits2!])
  const transfers = await learn([computes!])
  await until(() => said().length > 0)
  t.same(said(), ['computes moved to thread 2'])
  t.same(where(links), ['waits1 1', 'waits2 2', 'computes 2'])
  t.match(await computes!.transfer(), { thread: 2, buffered: transfers + 1 })
  t.match(await computes!.drain(), { buffered: 0, outlets: [{ pushed: transfers + 1 }] })
  t.equal(pushedTo('computes', tracesOf(logs)).length, transfers + 1, 'no record is lost or doubled')
})

t.test('a link that is in the way and cannot be moved stays, which is said once', async (t) => {
  const { host, where, learn, said } = await hosting(t, 2)
  const links = await host({ tags: 'waits' }, { tags: 'waits2' }, { tags: 'stays', acts: [spin] })
  t.same(where(links), ['waits 1', 'waits2 2', 'stays 1'])
  await learn(links)
  await until(() => said().length > 0)
  t.match(said(), [/^stays computes in a thread with links that wait, and cannot be moved as its nodes hand over no/])
  // another lane becomes known: all is looked at again
  await learn(await host({ tags: 'moves', acts: [spin], movable: true }))
  await until(() => said().length > 1)
  t.match(said(), [/^stays/, 'moves moved to thread 2'])
  t.same(where(links), ['waits 1', 'waits2 2', 'stays 1'])
})

t.test('a link that fails to be moved stays, which is said once, and is not tried again', async (t) => {
  const { host, where, learn, said, places } = await hosting(t, 2)
  const links = await host({ tags: 'waits' }, { tags: 'waits2' }, { tags: 'uncloneable', acts: [spin], movable: true })
  await learn(links)
  await until(() => said().length > 0)
  await learn(await host({ tags: 'moves', acts: [spin], movable: true }))
  await until(() => said().length > 1)
  t.same(said(), ['uncloneable could not be moved', 'moves moved to thread 2'])
  t.equal(places[0]?.loopback.count('handOff'), 2, 'once each')
  t.same(where(links), ['waits 1', 'waits2 2', 'uncloneable 1'])
  t.match(await links[2]?.transfer(), { thread: 1, failed: false })
})

t.test('a link that transfers is moved later', async (t) => {
  const { host, where, learn, said, logs } = await hosting(t, 2)
  const links = await host(
    { tags: 'waits' },
    { tags: 'waits2' },
    { tags: 'gated', acts: ['gate', spin], movable: true },
  )
  const [, , gated] = links
  await gated!.onStart()
  const transfer = gated!.transfer()
  await until(() => tracesOf(logs).includes('gated waits'))
  await learn([gated!])
  await new Promise((resolve) => setTimeout(resolve, 300)) // longer than links wait to be moved
  t.same(where([gated!]), ['gated 1'])
  openGate('gated')
  await transfer
  await until(() => said().length > 0)
  t.same(said(), ['gated moved to thread 2'])
})

t.test('links that share an instance are not moved apart', async (t) => {
  const { host, where, learn, said } = await hosting(t, 2)
  const links = await host(
    { tags: 'a', shares: 'z', acts: [spin] },
    { tags: 'waits' },
    { tags: 'b', shares: 'z', acts: [spin] },
    { tags: 'waits2' },
  )
  t.same(where(links), ['a 1', 'waits 2', 'b 1', 'waits2 2'])
  await learn(links)
  const more = await host({ tags: 'waits3' }, { tags: 'c', acts: [spin] })
  await learn(more)
  await until(() => said().length > 0)
  t.same(where(links).slice(0, 3), ['a 1', 'waits 2', 'b 1'])
})
