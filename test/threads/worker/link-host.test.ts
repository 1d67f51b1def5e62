import t from 'tap'
import { packOpens } from '../../../src/threads/protocol/packed-opens.js'
import { plainError } from '../../../src/base/plain-error.js'
import { Record } from '../../../src/core/record.js'
import { pack, unpack } from '../../../src/threads/protocol/records.js'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { getLogger, setLogDestination } from '../../../src/base/log.js'
import { Pulse } from '../../../src/threads/protocol/pulse.js'
import { captureLogs } from '../../helpers/logs.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'
import { packed, RecordedHost } from '../../helpers/link-hosts.js'
import { fixture, linkModule, openGate, tracesOf, until } from '../../helpers/threads.js'

t.test('a module is described without starting anything', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost()
  const module = linkModule(
    { tags: 'plain' },
    { tags: 'full', cron: '0 5 * * *', maxInstances: 3, stateless: true, lane: 'cpu', immediateTransfer: false },
    { tags: 'held', buffer: 10, movable: true, ignoreExceptions: true },
  )
  t.match(await host.describe(module.href), [
    {
      module: module.href,
      exportName: 'links',
      index: 0,
      id: 'plain',
      tags: ['plain'],
      settings: {
        schedule: { every: 1_000_000 },
        immediateTransfer: true,
        ignoreExceptions: false,
        maxInstances: 1,
        stateless: false,
        lane: 'auto',
      },
      text: "Link(tags:['plain'], inlets:[ActInlet], outlets:[TraceOutlet], interval:1000s)",
      buffers: false,
      movable: false,
    },
    {
      index: 1,
      settings: {
        schedule: { cron: '0 5 * * *' },
        maxInstances: 3,
        stateless: true,
        lane: 'cpu',
        immediateTransfer: false,
      },
    },
    { index: 2, buffers: true, movable: true, settings: { ignoreExceptions: true } },
  ])
  t.same(tracesOf(logs), [])
})

t.test('a link without an id is called after its export', async (t) => {
  const links = await new RecordedHost().describe(fixture('modules/named.ts').href)
  t.same(links.map(({ id }) => id).sort(), ['many[0]', 'many[2]', 'named', 'one'])
})

t.test('instances are known by an id, across links and modules', async (t) => {
  const host = new RecordedHost()
  const one = linkModule({ tags: 'a', shares: 'known' }, { tags: 'b' })
  const other = linkModule({ tags: 'c', shares: 'known' })
  const links = [...(await host.describe(one.href)), ...(await host.describe(other.href))]
  const [a, b, c] = links.map(({ instances }) => instances)
  t.equal(a?.[0], c?.[0], 'the inlet that they share')
  t.not(a?.[1], c?.[1], 'their outlets')
  t.equal(new Set([a, b, c].flat()).size, 5)
  t.same(
    (await host.describe(one.href)).map(({ instances }) => instances),
    [a, b],
    'the same again',
  )
})

t.test('a module that cannot be used is an error', async (t) => {
  const { href } = fixture('modules/throws.mjs')
  await t.rejects(new RecordedHost().describe(href), {
    name: 'LinkModuleError',
    code: 'DATABAY_LINK_MODULE',
    module: href,
  })
})

t.test('a module that could not be used is tried again when it is asked for again', async (t) => {
  const folder = t.testdir({})
  const { writeFile } = await import('node:fs/promises')
  const { pathToFileURL } = await import('node:url')
  const file = `${folder}/late.mjs`
  const { href } = pathToFileURL(file)
  const host = new RecordedHost()
  await t.rejects(host.describe(href), { message: /there is no such file/ })
  await writeFile(file, `export * from ${JSON.stringify(fixture('modules/named.ts').href)}`)
  t.equal((await host.describe(href)).length, 3)
})

t.test('a link that is open keeps its instances between transfers, until it is closed', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost()
  t.same(await host.open(linkModule({ tags: 'kept' }), 7), [null])
  await host.transfer(7)
  await host.transfer(7)
  t.same(await host.call('close', { links: [7] }), [null])
  t.same(tracesOf(logs), [
    'kept starts',
    'kept outlet starts',
    'kept gets [1]',
    'kept gets [2]',
    'kept outlet shuts down',
    'kept shuts down',
  ])
  t.match(await host.transfer(7), [
    { failed: true, errors: [{ code: 'DATABAY_IMPLEMENTATION', message: 'link 7 is not open in this thread' }] },
  ])
})

t.test('links are tried one by one: those that open stay open, whatever becomes of the others', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost()
  const answer = await host.open(linkModule({ tags: 'fine1' }, { tags: 'bad1', failing: ['start'] }, { tags: 'fine2' }))
  t.match(answer, [null, { name: 'CustomError', code: 'E_START', message: 'bad1 cannot start' }, null])
  t.notOk(tracesOf(logs).includes('fine1 shuts down'))
  const [fine, bad] = await host.transfer(0, 1)
  t.equal(fine?.failed, false)
  t.match(bad, { failed: true, errors: [{ code: 'DATABAY_IMPLEMENTATION' }] })
})

t.test('a link that the module does not export in this thread is an error', async (t) => {
  const module = linkModule({ tags: 'only' }).href
  t.match(
    await new RecordedHost().call('open', { links: packOpens([{ id: 1, module, exportName: 'links', index: 5 }]) }),
    [{ code: 'DATABAY_LINK_MODULE', message: /exports no link links\[5\] in this thread, as it did in another$/ }],
  )
})

t.test('links are closed in the order given, all of them even when some fail', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost()
  await host.open(linkModule({ tags: 'x' }, { tags: 'y', failing: ['shutdown'] }, { tags: 'z' }))
  const closed = await host.call('close', { links: [2, 1, 0] })
  t.match(closed, [null, { name: 'CustomError', message: 'y cannot shut down' }, null])
  t.same(
    tracesOf(logs).filter((text) => /^. shuts/.test(text)),
    ['z shuts down', 'y shuts down', 'x shuts down'],
  )
  t.same(await host.call('close', { links: [2, 99] }), [null, null], 'what is not open needs no closing')
})

t.test('every transfer of a message is reported, and failures keep to themselves', async (t) => {
  captureLogs(t, 'silent')
  const host = new RecordedHost()
  await host.open(linkModule({ tags: 'ok1' }, { tags: 'failing', acts: [{ fail: 'withFields' }] }, { tags: 'ok2' }))
  const reports = await host.transfer(0, 1, 2)
  t.match(reports, [
    { failed: false, pulled: 1, outlets: [{ outlet: 'TraceOutlet', pushed: 1 }], errors: [] },
    {
      failed: true,
      errors: [
        {
          message: 'refused',
          code: 'E_REFUSED',
          fields: { status: 403, fatal: false },
          node: 'ActInlet',
          stage: 'pull',
        },
      ],
    },
    { failed: false, pulled: 1 },
  ])
})

t.test('a transfer that waits does not hold back the reports of the others', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost()
  await host.open(linkModule({ tags: 'slow', acts: ['gate'] }, { tags: 'quick' }))
  const runs = [host.run(0), host.run(1)]
  const all = host.host.handle(packed(runs))
  await until(() => host.reports.size === 1)
  t.same([...host.reports.keys()], [1])
  await until(() => tracesOf(logs).includes('slow waits'))
  openGate('slow')
  await all
  t.same([...host.reports.keys()], [1, 0])
})

t.test('a transfer that holds the thread lets the reports of those before it go', async (t) => {
  captureLogs(t)
  const host = new RecordedHost()
  const spin = [{ spin: 20 }]
  await host.open(
    linkModule({ tags: 'spins1', acts: spin }, { tags: 'spins2', acts: spin }, { tags: 'spins3', acts: spin }),
  )
  await host.transfer(0, 1, 2)
  t.equal(host.reportMessages, 3)
  await host.transfer(0, 1, 0)
  t.equal(host.reportMessages, 6)
})

t.test('reports of transfers that end together go in one message', async (t) => {
  captureLogs(t, 'silent')
  const host = new RecordedHost()
  await host.open(
    linkModule(...Array.from({ length: 100 }, (_, index) => ({ tags: `l${index}`, acts: [{ give: [] }] }))),
  )
  await host.transfer(...Array.from({ length: 100 }, (_, index) => index))
  t.equal(host.reports.size, 100)
  t.ok(host.reportMessages <= 3, `${host.reportMessages} messages`)
})

t.test('no more transfers run at once than the thread may', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost({ transfersPerThread: 2 })
  const names = ['p', 'q', 'r', 's']
  await host.open(linkModule(...names.map((tags) => ({ tags, acts: ['gate' as const] }))))
  const waiting = () => tracesOf(logs).filter((text) => text.endsWith(' waits'))
  // in two messages: the bound is the thread's
  const all = [host.transfer(0, 1, 2), host.transfer(3)]
  await until(() => waiting().length === 2)
  await turnOfTheLoop()
  t.same(waiting(), ['p waits', 'q waits'])
  openGate('q')
  await until(() => waiting().length === 3)
  await turnOfTheLoop()
  t.equal(waiting().length, 3)
  openGate('p')
  await until(() => waiting().length === 4)
  openGate('r')
  openGate('s')
  await Promise.all(all)
  t.equal(host.reports.size, 4)
})

t.test('a log line does not overtake a report that is held back', async (t) => {
  captureLogs(t)
  const host = new RecordedHost()
  await host.open(linkModule({ tags: 'quick', acts: [{ give: [] }] }, { tags: 'logs', acts: [{ ticks: 50 }] }))
  setLogDestination({
    write: (line) => {
      host.host.log(line)
    },
  })
  await host.transfer(0, 1)
  t.match(host.told.slice(-3), [
    { event: 'report', run: 0 },
    { event: 'log', line: /logs gets \[1\]/ },
    { event: 'report', run: 1 },
  ])
})

t.test('running transfers of a link are told to stop, and no others', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost()
  await host.open(
    linkModule({ tags: 'stops', acts: ['untilAborted'], maxInstances: 2 }, { tags: 'goes', acts: ['gate'] }),
  )
  const all = host.transfer(0, 0, 1)
  await until(() => tracesOf(logs).filter((text) => text.endsWith(' waits')).length === 3)
  host.host.note({ note: 'cancel', link: 0, upTo: 1, reason: plainError(new TransferCancelledError('enough')) })
  host.host.note({ note: 'cancel', link: 99, upTo: 1, reason: plainError(new Error('nobody hears')) })
  await until(() => host.reports.size === 2)
  openGate('goes')
  const [first, second, third] = await all
  for (const report of [first, second]) {
    t.match(report, {
      failed: true,
      errors: [{ code: 'DATABAY_TRANSFER_CANCELLED', message: 'enough', stage: 'pull' }],
    })
  }
  t.equal(third?.failed, false)
  t.ok(tracesOf(logs).includes('stops is told to stop: TransferCancelledError: enough'))
})

t.test('a transfer that was told to stop before it began pulls nothing', async (t) => {
  const logs = captureLogs(t, 'silent')
  const host = new RecordedHost()
  await host.open(linkModule({ tags: 'late', buffer: 5 }))
  await host.transfer(0)
  const reason = plainError(new TransferCancelledError('enough'))
  host.host.note({ note: 'cancel', link: 0, upTo: 8, reason })
  const early = [host.run(0, { transferNumber: 7 }), host.run(0, { transferNumber: 9 })]
  await host.host.handle(packed(early))
  const [stopped, later] = early.map(({ run }) => host.reports.get(run))
  t.match(stopped, { failed: true, pulled: 0, buffered: 1, errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] })
  t.match(later, { failed: false, pulled: 1, buffered: 2 })
  t.same(tracesOf(logs), [])
})

t.test('log levels are taken over', async (t) => {
  captureLogs(t)
  const host = new RecordedHost()
  host.host.note({
    note: 'logLevels',
    levels: [
      ['databay', 'warn'],
      ['databay.noted', 'debug'],
    ],
  })
  t.equal(getLogger('databay.noted').level, 'debug')
})

t.test('a drain releases what buffers hold, and pulls nothing', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost()
  await host.open(linkModule({ tags: 'buffered', buffer: 10 }))
  const [report] = await host.transfer(0)
  t.match(report, { pulled: 1, buffered: 1, outlets: [{ pushed: 0 }] })
  const drain = host.run(0, { drain: true })
  await host.host.handle(packed([drain]))
  t.match(host.reports.get(drain.run), { pulled: 0, buffered: 0, outlets: [{ pushed: 1 }] })
  t.ok(tracesOf(logs).includes('buffered gets [1]'))
})

t.test('a link is handed over with its state, and carries on elsewhere', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost()
  const module = linkModule({ tags: 'moves', movable: true, buffer: 3 })
  await host.open(module)
  await host.transfer(0)
  await host.transfer(0)
  const [state] = (await host.call('handOff', { links: [0] })).states
  t.ok(tracesOf(logs).includes('moves shuts down'))

  // as the same module in another thread: with other instances
  const elsewhere = new RecordedHost()
  const url = new URL(module)
  url.searchParams.set('thread', '2')
  await elsewhere.describe(url.href)
  await elsewhere.call('open', {
    links: packOpens([{ id: 0, module: url.href, exportName: 'links', index: 0, state }]),
  })
  const [report] = await elsewhere.transfer(0)
  t.match(report, { pulled: 1, buffered: 0, outlets: [{ pushed: 3 }] })
  t.ok(tracesOf(logs).includes('moves gets [1,2,3]'), 'nothing is lost or doubled')
})

t.test('a link that cannot be handed over stays open', async (t) => {
  captureLogs(t)
  const host = new RecordedHost()
  await host.open(linkModule({ tags: 'unsavable', movable: true }, { tags: 'uncloneable', movable: true }))
  await t.rejects(host.call('handOff', { links: [0] }), { message: 'cannot save' })
  await t.rejects(host.call('handOff', { links: [1] }), { name: 'DataCloneError' })
  await t.rejects(host.call('handOff', { links: [2] }), { code: 'DATABAY_IMPLEMENTATION' })
  const reports = await host.transfer(0, 1)
  t.ok(reports.every(({ failed }) => !failed))
})

t.test('a link that fails to shut down is handed over all the same: its state is not lost', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost()
  await host.open(linkModule({ tags: 'clings', movable: true, failing: ['shutdown'] }))
  await host.transfer(0)
  t.match(await host.call('handOff', { links: [0] }), {
    states: [{ parts: [{ kind: 'MovableInlet', state: { count: 1 } }] }],
  })
  t.match(logs.entries().at(-1), { name: 'databay.LinkHost', err: { message: 'clings cannot shut down' } })
})

t.test('a link that is restored is known to be in its thread, and until when it should have been', async (t) => {
  captureLogs(t)
  const pulse = new Pulse()
  const host = new RecordedHost({ pulse: pulse.memory, startTimeout: 60_000 })
  const { href } = fixture('modules/unresettable.ts')
  const globals = globalThis as { restoring?: () => void }
  const seen: unknown[] = []
  globals.restoring = () => seen.push(pulse.inside, pulse.deadline < Infinity)
  t.teardown(() => delete globals.restoring)
  const state = {
    parts: [
      { kind: 'RandomIntInlet', state: undefined },
      { kind: 'NullOutlet', state: undefined },
      { kind: 'Unresettable', state: [1], owner: 0, held: 1 },
    ],
  }
  await host.call('open', { links: packOpens([{ id: 7, module: href, exportName: 'link', index: undefined, state }]) })
  t.same(seen, [7, true])
  t.same([pulse.inside, pulse.deadline], [undefined, Infinity])
})

t.test('a link whose processor fails to reset is handed over all the same', async (t) => {
  const logs = captureLogs(t)
  const host = new RecordedHost()
  await host.open(fixture('modules/unresettable.ts'))
  await host.transfer(0)
  t.match(await host.call('handOff', { links: [0] }), {
    states: [{ parts: [{}, {}, { kind: 'Unresettable', state: [1], owner: 0, held: 1 }] }],
  })
  t.same(logs.messages(), ['Unresettable of link failed to reset'], 'and nobody says that it is lost')
})

t.test('a link that buffers cannot be stateless', async (t) => {
  const { href } = linkModule({ tags: 'contradiction', stateless: true, buffer: 3 })
  await t.rejects(new RecordedHost().describe(href), {
    code: 'DATABAY_LINK_MODULE',
    message: /contradiction is stateless, but its Buffer holds records/,
  })
})

t.test('a processor is applied to records', async (t) => {
  const host = new RecordedHost()
  const process = async (exportName: string, records: Record[], module = fixture('processors.ts')) => {
    const request = { module: module.href, exportName, records: pack(records), tags: ['a'], transferNumber: 3 }
    return unpack(await host.call('process', request))
  }
  const payloads = (records: Record[]) => records.map(({ payload }) => payload)

  t.test('the default export, or another', async (t) => {
    t.same(payloads(await process('default', [new Record(1), new Record(2)])), [2, 4])
    t.same(payloads(await process('odd', [new Record(1), new Record(2)])), [1])
  })

  t.test('that is told which transfer it is', async (t) => {
    const logs = captureLogs(t)
    await process('where', [new Record(1)])
    t.match(tracesOf(logs), [/^1 records of a\.3 in /])
  })

  t.test('that sees metadata shared as it was', async (t) => {
    const metadata = Object.freeze({ a: 1 })
    t.same(
      payloads(
        await process(
          'sharesMetadata',
          [1, 2].map((n) => new Record(n, metadata)),
        ),
      ),
      [true, true],
    )
  })

  t.test('that is missing, or is no function', async (t) => {
    const message = (name: string) => new RegExp(`exports no function ${name} to process records with$`)
    for (const name of ['missing', 'notAFunction']) {
      await t.rejects(process(name, []), { code: 'DATABAY_LINK_MODULE', message: message(name) })
    }
    await t.rejects(process('default', [], fixture('modules/throws.mjs')), { message: /not today/ })
  })

  t.test('that throws', async (t) => {
    await t.rejects(process('fails', [new Record(1)]), {
      name: 'TypeError',
      message: 'cannot take 1',
      code: 'E_TAKE',
      records: 1,
    })
  })

  t.test('that returns something other than records', async (t) => {
    for (const name of ['returnsNothing', 'returnsPayloads']) {
      await t.rejects(process(name, [new Record(1)]), {
        code: 'DATABAY_IMPLEMENTATION',
        message: /must return a list of records$/,
      })
    }
  })

  t.test('that returns what cannot be cloned: it is named', async (t) => {
    await t.rejects(process('returnsFunctions', [new Record(1, { __inlet__: 'TheInlet' })]), {
      code: 'DATABAY_UNCLONEABLE_RECORD',
      message: /^record 0 of TheInlet cannot cross to a thread: payload\.callback cannot be cloned/,
    })
  })
})
