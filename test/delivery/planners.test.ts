import { join } from 'node:path'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Cursor } from '../../src/core/cursor.js'
import { Buffer } from '../../src/core/buffer.js'
import { Distinct } from '../../src/core/distinct.js'
import { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import type { LinkSettings } from '../../src/core/link-options.js'
import type { PlannedLink } from '../../src/core/planned-link.js'
import { HttpInlet } from '../../src/connectors/http/http-inlet.js'
import { Kept } from '../helpers/durable-links.js'
import { serve } from '../helpers/servers.js'
import { Outlet } from '../../src/core/outlet.js'
import type { Update } from '../../src/core/update.js'
import { FileInlet } from '../../src/connectors/files/file-inlet.js'
import { DurableLinks } from '../../src/delivery/durable-links.js'
import { ownStore } from '../../src/store/store.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'

/** Gives one number after the other, some at a time. */
class Numbers extends Inlet<number, number> {
  override readonly cursorVersion: number = 1
  readonly #count: number

  constructor(count = 2) {
    super()
    this.#count = count
  }

  pull(_update: Update, cursor: Cursor<number>) {
    const from = cursor.value ?? 0
    cursor.advance(from + this.#count)
    return Array.from({ length: this.#count }, (_, at) => from + at)
  }
}

class Streamed extends Inlet<number, number> {
  *pull(_update: Update, cursor: Cursor<number>) {
    for (let list = 0; list < 3; list++) {
      const from = cursor.value ?? 0
      cursor.advance(from + 2)
      yield [from, from + 1]
    }
  }
}

const durable = { delivery: 'cursor', interval: 3600, immediateTransfer: false } as const

/** Has a planner make some transfers of a link. */
async function transfer(folder: string, link: PlannedLink, times: number, options: object = {}) {
  const planner = new SchedulePlanner(link, { store: join(folder, 'store'), ignoreExceptions: true })
  await planner.start()
  for (let time = 0; time < times; time++) await planner.forceTransfer()
  await planner.shutdown(options)
}

const linkOf = (inlets: Inlet, outlets: Outlet, more: object = {}) =>
  new Link({ ...durable, id: 'a', inlets, outlets, ...more } as never)

t.test('a link goes on where what it delivered ends, in another process too', async (t) => {
  const folder = t.testdir()
  const [first, second] = [new Kept(), new Kept()]
  await transfer(folder, linkOf(new Numbers(), first), 2)
  await transfer(folder, linkOf(new Numbers(), second), 1)
  t.same(first.got, [0, 1, 2, 3])
  t.same(second.got, [4, 5])
})

t.test('what an outlet refuses is pulled again, at once and after a restart', async (t) => {
  const folder = t.testdir()
  let isDown = true
  const outlet = new Kept((payload) => payload === 2 && isDown)
  await transfer(folder, linkOf(new Numbers(), outlet), 3)
  t.same(outlet.got, [0, 1])
  isDown = false
  await transfer(folder, linkOf(new Numbers(), outlet), 2)
  t.same(outlet.got, [0, 1, 2, 3, 4, 5])
})

t.test('what buffers hold is not behind the cursor', async (t) => {
  const folder = t.testdir()
  const [first, second] = [new Kept(), new Kept()]
  const buffered = () => ({ processors: new Buffer({ countThreshold: 4 }) })
  await transfer(folder, linkOf(new Numbers(), first, buffered()), 3, { drain: false })
  t.same(first.got, [0, 1, 2, 3])
  await transfer(folder, linkOf(new Numbers(), second, buffered()), 1)
  t.same(second.got, [4, 5], 'they are pulled again, and drained')
})

t.test('one instance of a link does not have twice what its buffers held at its shutdown', async (t) => {
  const folder = t.testdir()
  const outlet = new Kept()
  const link = linkOf(new Numbers(), outlet, { processors: new Buffer({ countThreshold: 4 }) })
  await transfer(folder, link, 3, { drain: false })
  await transfer(folder, link, 1)
  t.same(outlet.got, [0, 1, 2, 3, 4, 5])
})

t.test('of a stream, the lists before one that was refused are not pulled again', async (t) => {
  const folder = t.testdir()
  const [first, second] = [new Kept((payload) => payload === 4), new Kept()]
  await transfer(folder, linkOf(new Streamed(), first), 1)
  await transfer(folder, linkOf(new Streamed(), second), 1)
  t.same(first.got, [0, 1, 2, 3])
  t.same(second.got, [4, 5, 6, 7, 8, 9])
})

t.test('what processors have learned is kept with the cursor', async (t) => {
  const folder = t.testdir()
  const [first, second] = [new Kept(), new Kept()]
  class Doubled extends Numbers {
    override pull(update: Update, cursor: Cursor<number>) {
      return super.pull(update, cursor).map((number) => number % 3)
    }
  }
  const distinct = () => ({ processors: new Distinct({ by: (payload: unknown) => payload as number }) })
  await transfer(folder, linkOf(new Doubled(), first, distinct()), 1)
  await transfer(folder, linkOf(new Doubled(), second, distinct()), 2)
  t.same([first.got, second.got], [[0, 1], [2]])
})

t.test('a cursor of another version is migrated, or the link does not start', async (t) => {
  const folder = t.testdir()
  await transfer(folder, linkOf(new Numbers(), new Kept()), 1)
  const versions = {
    Refusing: class Numbers extends Inlet<string, { id: number }> {
      override readonly cursorVersion = 2

      pull(_update: Update, cursor: Cursor<{ id: number }>) {
        return [`behind ${cursor.value?.id ?? 'nothing'}`]
      }
    },
  }
  const message = 'the kept cursor of Numbers has version 1, the inlet has 2: give it a migrateCursor(old, version)'
  await t.rejects(transfer(folder, linkOf(new versions.Refusing(), new Kept()), 1), {
    code: 'DATABAY_CURSOR_VERSION',
    message,
  })
  const migrating = new versions.Refusing()
  migrating.migrateCursor = async (old, version) => ({ id: Number(old) * version * 100 })
  const outlet = new Kept()
  await transfer(folder, linkOf(migrating, outlet), 1)
  t.same(outlet.got, ['behind 200'])
})

t.test('combinations that cannot be kept are refused', async (t) => {
  const [inlets, outlets] = [new Numbers(), new Kept()]
  const make = (more: LinkSettings) => () => new Link({ ...durable, inlets, outlets, ...more } as never)
  t.throws(make({ delivery: 'spool' as never }), { message: /'spool' is not there yet/ })
  t.throws(make({ delivery: 'disk' as never }), { message: /one of 'memory', 'cursor'/ })
  t.throws(make({ stateless: true }), { message: /stateless.* with delivery: 'cursor'/ })
  t.throws(make({ maxInstances: 2 }), { message: /maxInstances.* with delivery: 'cursor'/ })
  const folder = t.testdir()
  const start = async (links: unknown, store: string | undefined = join(folder, 'store')) => {
    const planner = new SchedulePlanner(links as never, store === '' ? {} : { store })
    await planner.start()
    await planner.shutdown()
  }
  await t.rejects(start(linkOf(new Numbers(), new Kept()), ''), { code: 'DATABAY_NO_STORE' })
  await t.rejects(start(linkOf(new Numbers(), new Kept(), { id: undefined })), { message: /^id/ })
  class Plain extends Inlet {
    pull = () => []
  }
  await t.rejects(start(linkOf(new Plain(), new Kept())), { code: 'DATABAY_NO_CURSOR' })
  await t.rejects(start(linkOf(new FileInlet('a', { mode: 'file' }), new Kept())), { code: 'DATABAY_NO_CURSOR' })
  await t.rejects(start([linkOf(inlets, outlets), linkOf(inlets, outlets, { id: 'b' })]), {
    message: /a link has its inlets for itself/,
  })
  const memory = new Link({ inlets, outlets, interval: 9, immediateTransfer: false })
  await t.rejects(start([linkOf(inlets, outlets), memory]), { code: 'DATABAY_INVALID_NODE' })
  await t.rejects(start([linkOf(inlets, outlets), linkOf(new Numbers(), outlets)]), { message: /^id/ })
  await start(linkOf(new Numbers(), new Kept()))
})

t.test('the position of a position file is the first cursor, and the file is not written any more', async (t) => {
  const folder = t.testdir({ 'in.txt': '0\n1\n2\n3\n' })
  const file = join(folder, 'in.txt')
  const positionFile = join(folder, 'position')
  const inlet = () => new FileInlet(file, { positionFile })
  const [before, after, later] = [new Kept(), new Kept(), new Kept()]
  const memory = linkOf(inlet(), before, { delivery: 'memory' })
  await transfer(folder, memory, 1)
  const position = readFileSync(positionFile, 'utf8')
  await transfer(folder, linkOf(inlet(), after), 2)
  t.equal(readFileSync(positionFile, 'utf8'), position)
  appendFileSync(file, '4\n')
  await transfer(folder, linkOf(inlet(), later), 3)
  t.same([before.got, after.got, later.got], [['0'], ['1', '2'], ['3', '4']])
})

t.test('a file that an outlet refuses lines of is read again from the first of them', async (t) => {
  const folder = t.testdir()
  const file = join(folder, 'in.txt')
  writeFileSync(file, '0\n1\n2\n3\n')
  let isDown = true
  const outlet = new Kept((payload) => payload === '2' && isDown)
  const link = () => linkOf(new FileInlet(file, { linesPerTransfer: 2 }), outlet)
  await transfer(folder, link(), 3)
  isDown = false
  await transfer(folder, link(), 1)
  t.same(outlet.got, ['0', '1', '2', '3'])
})

t.test('a response that was delivered is not read again after a restart, one that was not is', async (t) => {
  const folder = t.testdir()
  const asked: unknown[] = []
  const { url } = await serve(t, (request, response) => {
    const tag = request.headers['if-none-match']
    asked.push(tag)
    response.writeHead(tag === '"1"' ? 304 : 200, { etag: '"1"', 'content-type': 'application/json' })
    response.end(tag === '"1"' ? undefined : '[1, 2]')
  })
  let isDown = true
  const outlet = new Kept(() => isDown)
  const link = () => linkOf(new HttpInlet(url, { conditional: true }), outlet)
  await transfer(folder, link(), 2)
  isDown = false
  await transfer(folder, link(), 1)
  await transfer(folder, link(), 1)
  t.same(outlet.got, [1, 2])
  t.same(asked, [undefined, undefined, '"1"'], 'while the outlet lacks it, nothing is asked')
  await t.rejects(transfer(folder, linkOf(new HttpInlet(url), outlet), 1), { code: 'DATABAY_NO_CURSOR' })
})

t.test('who had a link before writes no more', async (t) => {
  const { store, release } = await ownStore(join(t.testdir(), 'store'))
  t.teardown(release)
  const [before, after] = [new Kept(), new Kept()]
  const open = async (outlet: Kept) => {
    const link = linkOf(new Numbers(), outlet)
    await new DurableLinks(store).open(link, [])
    await link.onStart()
    return link
  }
  const late = await open(before)
  const now = await open(after)
  t.match(await late.transfer(), { errors: [{ code: 'DATABAY_FENCED' }], failed: true })
  t.match(await late.transfer(), { pulled: 0, errors: [{ code: 'DATABAY_FENCED' }] }, 'it pulls nothing any more')
  t.match(await now.transfer(), { errors: [] })
  t.same(
    [before.got, after.got],
    [
      [0, 1],
      [0, 1],
    ],
  )
})
