import { Link, Outlet, setLogLevel, type Record } from 'databay'
import { InletTester } from 'databay/testing'
import t, { type Test } from 'tap'
import type { Tweet } from '../../examples/twitter-inlet.js'
import { serve } from '../helpers/servers.js'
import { run, runShown } from './readme.js'
import { TOKEN, twitter } from './twitter-server.js'

process.env['TWITTER_BEARER_TOKEN'] = TOKEN // the module wants it when it is loaded
const { TwitterInlet } = await import('../../examples/twitter-inlet.js')
setLogLevel('silent')

class Kept extends Outlet<Tweet> {
  texts: string[] = []
  push(records: Record<Tweet>[]) {
    this.texts.push(...records.map(({ payload }) => payload.text))
  }
}

/** Starts a server, and makes a function that transfers from it and gives the texts. */
async function open(t: Test, { pageSize = 100, user = 'some_user' } = {}) {
  const server = await twitter(t, pageSize)
  const inlet = new TwitterInlet(user, TOKEN, server.url)
  const outlet = new Kept()
  const link = new Link({ inlets: inlet, outlets: outlet, interval: 60, tags: 'tweets' })
  const transfer = async () => {
    outlet.texts = []
    const { errors } = await link.transfer()
    return { texts: outlet.texts, error: errors[0]?.message }
  }
  return { ...server, inlet, transfer }
}

t.test('tweets are printed, oldest first', async (t) => {
  const { url, tweet } = await twitter(t)
  tweet('Good morning', 'Databay moves data from A to B', 'Good night')
  const [{ stdout } = { stdout: '' }] = await runShown(t, 'Twitter inlet', { env: { TWITTER_URL: url } })
  t.match(stdout, /text: 'Good morning' .*text: 'Databay moves data from A to B' .*text: 'Good night' /s)
})

t.test('a transfer gives what is new since the one before', async (t) => {
  const { tweet, transfer, requests } = await open(t)
  tweet('one', 'two')
  t.same((await transfer()).texts, ['one', 'two'])
  t.same((await transfer()).texts, [])
  tweet('three')
  t.same((await transfer()).texts, ['three'])
  t.equal(requests.filter(({ pathname }) => pathname.includes('username')).length, 1, 'the user is looked up once')
})

t.test('new tweets come through all pages, those of the past from the first', async (t) => {
  const { tweet, transfer } = await open(t, { pageSize: 3 })
  const texts = Array.from({ length: 8 }, (_, number) => `tweet ${number}`)
  tweet('past 1', 'past 2', 'past 3', 'past 4')
  t.same((await transfer()).texts, ['past 2', 'past 3', 'past 4'])
  tweet(...texts)
  t.same((await transfer()).texts, texts)
})

t.test('a page that fails loses nothing and gives nothing twice', async (t) => {
  const { tweet, transfer, faults } = await open(t, { pageSize: 2 })
  tweet('past')
  await transfer()
  tweet('one', 'two', 'three')
  faults.push(undefined, { status: 503 })
  t.match(await transfer(), { texts: [], error: /Twitter answered 503 for \/2\/users\/\d+\/tweets/ })
  t.same((await transfer()).texts, ['one', 'two', 'three'])
  t.same((await transfer()).texts, [])
})

t.test('after too many requests there is none until the limit is reset', async (t) => {
  const { tweet, transfer, faults, requests } = await open(t)
  let now = 1_800_000_000_000
  t.intercept(Date, 'now', { value: () => now })
  tweet('one')
  faults.push(undefined, { status: 429, headers: { 'x-rate-limit-reset': '1800000060' } })
  t.match(await transfer(), { texts: [], error: undefined }, 'it is no failure')
  now += 59_999
  t.match(await transfer(), { texts: [], error: undefined })
  t.equal(requests.length, 2, 'the user and the tweets were asked for once')
  now += 1
  t.same((await transfer()).texts, ['one'])
})

t.test('without a word of when the limit is reset, it waits for a quarter of an hour', async (t) => {
  const { tweet, transfer, faults, requests } = await open(t)
  let now = 1_800_000_000_000
  t.intercept(Date, 'now', { value: () => now })
  tweet('one')
  faults.push({ status: 429 })
  await transfer()
  now += 15 * 60_000 - 1
  t.match(await transfer(), { texts: [], error: undefined })
  t.equal(requests.length, 1)
  now += 1
  t.same((await transfer()).texts, ['one'])
})

t.test('in another thread it carries on where it was', async (t) => {
  const { tweet, transfer, inlet, url } = await open(t)
  tweet('one')
  await transfer()
  const other = new TwitterInlet('some_user', TOKEN, url)
  other.restoreState(structuredClone(inlet.saveState()))
  tweet('two')
  const outlets = new Kept()
  await new Link({ inlets: other, outlets, interval: 60 }).transfer()
  t.same(outlets.texts, ['two'])
})

t.test('a user that is not there is an error', async (t) => {
  const { transfer } = await open(t, { user: 'nobody' })
  t.match(await transfer(), { error: /Twitter knows no user nobody/ })
})

t.test('the token is never printed or logged', async (t) => {
  const command = 'npx databay run dist/examples/twitter-inlet.js --once --log-level trace'
  const { url, faults, tweet } = await twitter(t)
  tweet('one')
  const env = { TWITTER_URL: url, TWITTER_USER: 'some_user' }
  const secret = { ...env, TWITTER_BEARER_TOKEN: 'the-secret' }
  faults.push({ status: 429 })
  const outputs = [await run(t, command, { env: secret }), await run(t, command, { env: secret })]
  t.match(outputs[0]?.stderr, /no more requests until/)
  t.match(outputs[1]?.stderr, /Twitter answered 401/)
  outputs.push(await run(t, command, { env: { ...env, TWITTER_BEARER_TOKEN: TOKEN } }))
  t.match(outputs[2]?.stdout, /text: 'one'/)
  for (const { stdout, stderr } of outputs) t.notMatch(stdout + stderr, /the-secret|your-token/)

  const { code, stderr } = await run(t, command, { env: { ...env, TWITTER_BEARER_TOKEN: undefined } })
  t.equal(code, 1)
  t.match(stderr, /TWITTER_BEARER_TOKEN is not set/)
})

t.test('the contract of inlets', async (t) => {
  const { url, tweet } = await twitter(t)
  tweet('one', 'two', 'three')
  const hanging = await serve(t, () => undefined)
  await new InletTester<Tweet>({
    create: (options) => new TwitterInlet('some_user', TOKEN, url, options),
    expected: 3,
    failing: (options) => new TwitterInlet('nobody', TOKEN, url, options),
    hanging: (options) => new TwitterInlet('some_user', TOKEN, hanging.url, options),
    repeatable: true,
  }).run(t)
})
