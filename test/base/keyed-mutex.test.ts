import t from 'tap'
import { KeyedMutex } from '../../src/base/keyed-mutex.js'
import { turnOfTheLoop } from '../helpers/nodes.js'

const patiently = (ahead: Promise<unknown>) => ahead

t.test('those who share an object have it one after the other, in the order in which they came', async (t) => {
  const turns = new KeyedMutex()
  const shared = {}
  const events: string[] = []
  const use = async (name: string) => {
    const end = await turns.take(shared, patiently)
    events.push(`${name} begins`)
    await turnOfTheLoop()
    events.push(`${name} ends`)
    end()
  }
  await Promise.all([use('a'), use('b'), use('c')])
  t.strictSame(events, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

t.test('those who share nothing do not wait', async (t) => {
  const turns = new KeyedMutex()
  await turns.take({}, patiently)
  await t.resolves(turns.take({}, () => Promise.reject(new Error('waited'))))
})

t.test('an object that nobody has is had without waiting', async (t) => {
  const turns = new KeyedMutex()
  const shared = {}
  const end = await turns.take(shared, patiently)
  end()
  await t.resolves(turns.take(shared, () => Promise.reject(new Error('waited'))))
})

t.test('who gives up waiting leaves the row as it was', async (t) => {
  const turns = new KeyedMutex()
  const shared = {}
  const end = await turns.take(shared, patiently)
  await t.rejects(
    turns.take(shared, () => Promise.reject(new Error('enough'))),
    { message: 'enough' },
  )
  let isIn = false
  const third = turns.take(shared, patiently).then((endThird) => {
    isIn = true
    return endThird
  })
  await turnOfTheLoop()
  t.equal(isIn, false, 'the first one still has it')
  end()
  ;(await third)()
})
