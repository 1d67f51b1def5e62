import t from 'tap'
import { Batch } from '../../../src/threads/main/batch.js'
import { deferred, turnOfTheLoop } from '../../helpers/nodes.js'

const same = <T>(answer: T) => answer

/** A batch whose questions are numbers and whose answers are their doubles, and what was sent at once. */
function doubling() {
  const sent: (readonly number[])[] = []
  const batch = new Batch<number, number>(async (questions) => {
    sent.push(questions)
    return questions.map((question) => question * 2)
  }, same)
  return { sent, batch }
}

t.test('what is asked for in one tick is sent as one, and each gets its own answer', async (t) => {
  const { sent, batch } = doubling()
  t.same(await Promise.all([batch.add(1), batch.add(2), batch.add(3)]), [2, 4, 6])
  t.same(sent, [[1, 2, 3]])
})

t.test('of many questions of one tick the first are sent while the rest is asked', async (t) => {
  const sent: (readonly number[])[] = []
  const batch = new Batch<number, number>(
    async (questions) => {
      sent.push(questions)
      return questions.map((question) => question * 2)
    },
    same,
    2,
  )
  const answers = [1, 2, 3].map((question) => batch.add(question))
  t.same(sent, [[1, 2]], 'before the tick has ended')
  answers.push(batch.add(4), batch.add(5))
  t.same(await Promise.all(answers), [2, 4, 6, 8, 10])
  t.same(sent, [[1, 2], [3, 4], [5]])
})

t.test('what is asked for later is sent by itself', async (t) => {
  const { sent, batch } = doubling()
  await batch.add(1)
  await Promise.all([batch.add(2), batch.add(3)])
  t.same(sent, [[1], [2, 3]])
})

t.test('what is asked for while an answer is on its way does not wait for that', async (t) => {
  const sent: (readonly string[])[] = []
  const first = deferred<readonly string[]>()
  const batch = new Batch<string, string>((questions) => {
    sent.push(questions)
    return sent.length === 1 ? first.promise : Promise.resolve(questions)
  }, same)
  const slow = batch.add('slow')
  await turnOfTheLoop()
  t.equal(await batch.add('quick'), 'quick')
  first.resolve(['at last'])
  t.equal(await slow, 'at last')
  t.same(sent, [['slow'], ['quick']])
})

t.test('when sending fails, so do all that were sent together, and no others', async (t) => {
  let fail = true
  const batch = new Batch<number, number>(async (questions) => {
    if (fail) throw new Error('not sent')
    return questions
  }, same)
  const results = await Promise.allSettled([batch.add(1), batch.add(2)])
  t.match(results, [
    { status: 'rejected', reason: { message: 'not sent' } },
    { status: 'rejected', reason: { message: 'not sent' } },
  ])
  fail = false
  t.equal(await batch.add(3), 3)
})

t.test('what is made of an answer is told, and what that throws to whoever asked alone', async (t) => {
  const batch = new Batch<number, number, string>(
    async (questions) => questions,
    (answer) => {
      if (answer < 0) throw new Error('below 0')
      return `${answer}`
    },
  )
  t.match(await Promise.allSettled([batch.add(1), batch.add(-1), batch.add(2)]), [
    { status: 'fulfilled', value: '1' },
    { status: 'rejected', reason: { message: 'below 0' } },
    { status: 'fulfilled', value: '2' },
  ])
})

t.test('an answer that is there early is told before the others', async (t) => {
  const all = deferred<readonly number[]>()
  let tell: (at: number, answer: number) => void = () => undefined
  const batch = new Batch<number, number>((_, early) => {
    tell = early
    return all.promise
  }, same)
  const [slow, quick] = [batch.add(1), batch.add(2)]
  await turnOfTheLoop()
  tell(1, 20)
  t.equal(await quick, 20)
  all.resolve([10, 20])
  t.equal(await slow, 10)
})

t.test('when the others fail, an answer that was there early stays', async (t) => {
  const batch = new Batch<number, number>(async (_, early) => {
    early(0, 10)
    throw new Error('lost')
  }, same)
  t.match(await Promise.allSettled([batch.add(1), batch.add(2)]), [
    { status: 'fulfilled', value: 10 },
    { status: 'rejected', reason: { message: 'lost' } },
  ])
})
