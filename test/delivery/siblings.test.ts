/** What one outlet of a link with delivery goes through has no part in what its siblings get: they get each record once. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { DeadLetterOptions } from '../../src/core/delivery-options.js'
import { Buffer } from '../../src/core/buffer.js'
import type { Cursor } from '../../src/core/cursor.js'
import { Distinct } from '../../src/core/distinct.js'
import { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import { LinkAccounts } from '../../src/core/link-accounts.js'
import type { Record } from '../../src/core/record.js'
import type { Update } from '../../src/core/update.js'
import { DurableLinks } from '../../src/delivery/durable-links.js'
import { bad, down, Lists, setUp, Target } from '../helpers/durable-links.js'

/** A target with processors of its own. */
const targetWith = (...processors: unknown[]) => new Target({ processors } as never)

/** A processor that fails on a payload, or on all, as long as it is broken. */
function switched(on?: unknown) {
  const state = { isBroken: true }
  const process = (records: Record[]) => {
    if (state.isBroken && records.some(({ payload }) => on === undefined || payload === on)) throw new Error('broken')
    return records
  }
  return Object.assign(state, { process })
}

t.test(
  'without dead letters, a processor of one outlet that fails blocks the link, and is given the same again',
  async (t) => {
    const { open } = await setUp(t)
    const broken = switched()
    let first = 0
    const counting = (records: Record[]) => {
      first += records.length
      return records
    }
    const [own, sibling] = [targetWith(counting, broken.process), new Target()]
    const link = await open(new Lists([1, 2], [3]), [own, sibling], { deadLetters: false })
    for (let tries = 0; tries < 3; tries++) {
      const report = await link.transfer()
      t.match(report, { failed: false, dropped: 0, blocked: { stage: 'process', message: 'broken' } })
      t.match(report.outlets, [{ waiting: 2, dropped: 0 }, { dropped: 0 }])
    }
    broken.isBroken = false
    t.equal((await link.transfer()).blocked, undefined)
    t.same(
      [own.got, sibling.got],
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
    )
    t.equal(first, 3, 'processors before it saw each record once')
  },
)

t.test('a processor of one outlet that fails waits for room for its dead letters', async (t) => {
  const { letters, open } = await setUp(t)
  const broken = switched()
  const [own, sibling] = [targetWith(broken.process), new Target()]
  const link = await open(new Lists([1], [2, 3]), [own, sibling], { deadLetters: { max: 1, whenFull: 'wait' } })
  t.match(await link.transfer(), { outlets: [{ dead: 1 }, { pushed: 1 }], blocked: undefined })
  for (let tries = 0; tries < 2; tries++) t.match(await link.transfer(), { blocked: { stage: 'process' } })
  t.same(sibling.got, [1, 2, 3])
  broken.isBroken = false
  t.equal((await link.transfer()).blocked, undefined)
  t.same(
    [own.got, sibling.got],
    [
      [2, 3],
      [1, 2, 3],
    ],
  )
  t.equal(letters.count(), 1)
})

t.test('a transfer that times out in a processor of one outlet is gone on with', async (t) => {
  const { open } = await setUp(t)
  let isSlow = true
  const slow = async (records: Record[], update: Update) => {
    if (isSlow) await sleep(5000, undefined, { signal: update.signal })
    return records
  }
  const [own, sibling] = [targetWith(slow), new Target()]
  const link = await open(new Lists([1, 2]), [own, sibling], { timeout: 0.05 })
  for (let tries = 0; tries < 2; tries++) t.match(await link.transfer(), { failed: false, dropped: 0, blocked: {} })
  isSlow = false
  t.equal((await link.transfer()).blocked, undefined)
  t.same(
    [own.got, sibling.got],
    [
      [1, 2],
      [1, 2],
    ],
  )
})

/** Gives 0 to 3, one after the other. */
class Streaming extends Inlet<number, number> {
  override async *pull(_update: Update, cursor: Cursor<number>) {
    for (let at = cursor.value ?? 0; at < 4; at++) {
      cursor.advance(at + 1)
      yield [at]
      await Promise.resolve()
    }
  }
}

for (const held of ['an outlet', 'a buffer', 'a buffer, past what is told apart']) {
  t.test(`rounds that are in ${held} as a later one fails are not pulled again`, async (t) => {
    const { open } = await setUp(t)
    const poison = switched(1)
    const [target, sibling] = [new Target(), new Target()]
    const buffers = held === 'an outlet' ? [] : [new Buffer({ countThreshold: 3 })]
    const distinct = held.includes('apart') ? [new Distinct({ by: (payload) => payload as number })] : []
    const link = await open(new Streaming(), [target, sibling], {
      processors: [...distinct, poison.process, ...buffers],
      deadLetters: false,
      rounds: 1,
    })
    if (held === 'an outlet') target.instead = down
    for (let tries = 0; tries < 2; tries++) t.match(await link.transfer(), { blocked: {} })
    target.instead = () => undefined
    poison.isBroken = false
    for (let at = 0; at < 4; at++) await link.transfer()
    await link.drain()
    t.same(
      [target.got, sibling.got],
      [
        [0, 1, 2, 3],
        [0, 1, 2, 3],
      ],
    )
    await link.transfer()
    t.equal(link.unsettled.all.length, 0, 'all is settled')
  })
}

t.test('what waits as its transfer fails otherwise is accounted for, and pulled again', async (t) => {
  const { open } = await setUp(t)
  let keeps = false
  class Keeping extends Target {
    override onLastRound(): undefined {
      if (!keeps) throw new Error('it cannot be kept')
    }
  }
  const [keeping, waiting] = [new Keeping(), new Target()]
  const link = await open(new Streaming(), [keeping, waiting], { rounds: 'whole' })
  const accounts = new LinkAccounts()
  waiting.instead = down
  accounts.add(await link.transfer())
  waiting.instead = () => undefined
  keeps = true
  for (let at = 0; at < 3; at++) accounts.add(await link.transfer())
  t.same(waiting.got, [0, 1, 2, 3])
  t.equal(accounts.held, 0, 'nothing is held')
})

t.test('an inlet is not told that its records were delivered before that is on the disk', async (t) => {
  const { store } = await setUp(t)
  let isFull = false
  let free: () => void = () => undefined
  // a store on a disk that is full for a while
  const full = new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'write') {
        return async (work: () => unknown, delayed?: (why: Error) => void) => {
          if (isFull) {
            delayed?.(new Error('the disk is full'))
            await new Promise<void>((resolve) => (free = resolve))
          }
          return target.write(work)
        }
      }
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const told: boolean[] = []
  class Acknowledging extends Streaming {
    override onTransferEnd(_update: Update, delivered: boolean) {
      told.push(delivered)
    }
  }
  const options = { delivery: 'cursor', interval: 3600, rounds: 1, ignoreExceptions: true } as const
  const link = new Link({ id: 'full', ...options, inlets: new Acknowledging(), outlets: new Target() } as never)
  await new DurableLinks(full).open(link, [])
  await link.onStart()
  isFull = true
  t.match(await link.transfer(), { blocked: { message: 'the disk is full' } })
  t.same(told, [])
  isFull = false
  free()
  await sleep(20)
  t.equal((await link.transfer()).blocked, undefined)
})

t.test('a letter that is refused again needs no room', async (t) => {
  for (const whenFull of ['wait', 'dropNewest', 'dropOldest'] as const) {
    const { letters, open, replay } = await setUp(t)
    const target = new Target()
    target.instead = bad
    const link = await open(new Lists(['bad 1', 'bad 2', 'bad 3']), target)
    await link.transfer()
    await link.onShutdown()
    const options: DeadLetterOptions = { max: 2, whenFull }
    const again = await open(new Lists(['bad 1', 'bad 2', 'bad 3']), target, { deadLetters: options })
    await replay()
    t.match(await again.transfer(), { failed: false, blocked: undefined, outlets: [{ dropped: 0 }] }, whenFull)
    t.equal(letters.count(), whenFull === 'dropOldest' ? 2 : 3, whenFull)
    t.equal(letters.count({ replay: true }), 0, whenFull)
  }
})

t.test('letters that are too old take no room', async (t) => {
  const { letters, open } = await setUp(t)
  const target = new Target()
  target.instead = bad
  const options: DeadLetterOptions = { max: 1, maxAge: 0.05, whenFull: 'wait' }
  const link = await open(new Lists(['bad 1'], ['bad 2']), target, { deadLetters: options })
  await link.transfer()
  await sleep(60)
  t.match(await link.transfer(), { blocked: undefined, outlets: [{ dead: 1 }] })
  t.equal(letters.count(), 1)
})

t.test('a buffer of an outlet that is stopped in the middle holds what it has taken in once', async (t) => {
  const { open } = await setUp(t)
  let isSlow = true
  const controller = async () => {
    if (isSlow) await sleep(200)
    return true
  }
  const [own, sibling] = [targetWith(new Buffer({ customControllers: controller })), new Target()]
  const link = await open(new Lists([1, 2]), [own, sibling], { timeout: 0.05 })
  await link.transfer()
  isSlow = false
  await sleep(250)
  for (let at = 0; at < 3; at++) await link.transfer()
  t.same(
    [own.got, sibling.got],
    [
      [1, 2],
      [1, 2],
    ],
  )
})
