import t from 'tap'
import { counted } from '../../../src/base/counted.js'
import { shortNumber, statusText, type Status } from '../../../src/cli/run/status-text.js'

const status: Status = {
  links: 4,
  transfers: 120,
  recordsPerSecond: 3210,
  late: 0,
  skipped: 0,
  failed: 0,
  busyThreads: 2,
  threads: 2,
}

t.test('the status is one line', async (t) => {
  t.equal(statusText(status), '4 links | 120 transfers | 3.2k records/s | 0 late | 0 skipped | 2/2 threads busy')
})

t.test('failed transfers are shown when there are some, and the phase unless it runs', async (t) => {
  t.equal(
    statusText({ ...status, links: 1, transfers: 1, failed: 3, phase: 'stopping' }),
    'stopping | 1 link | 1 transfer | 3.2k records/s | 0 late | 0 skipped | 3 failed | 2/2 threads busy',
  )
})

t.test('links that could not be started are shown when there are some', async (t) => {
  const text = statusText({ ...status, unstarted: 1 })
  t.equal(text, '4 links | 1 not started | 120 transfers | 3.2k records/s | 0 late | 0 skipped | 2/2 threads busy')
})

t.test('blocked links, what waits in them and dead letters are shown when there are some', async (t) => {
  const text = statusText({ ...status, blocked: 2, waiting: 50, dead: 1 })
  t.match(text, /^4 links \| 2 blocked, 50 records waiting \| 120 transfers .* \| 1 dead letter \| 2\/2 threads busy$/)
  t.match(statusText({ ...status, blocked: 1, waiting: 0 }), /^4 links \| 1 blocked \| /)
})

t.test('links whose transfers the end waits for are named, the first of them', async (t) => {
  const start = (waitsFor: string[]) =>
    statusText({ ...status, waitsFor, phase: 'stopping' })
      .split(' | ')
      .slice(0, 3)
  t.same(start([]), ['stopping', '4 links', '120 transfers'])
  t.same(start(['a', 'b']), ['stopping', 'waiting for a, b', '4 links'])
  t.same(start(['a', 'b', 'c', 'd', 'e']), ['stopping', 'waiting for a, b, c and 2 more', '4 links'])
})

t.test('records of transfers that stream are shown while they run', async (t) => {
  const text = statusText({ ...status, recordsSoFar: 1_234_000 })
  t.equal(
    text,
    '4 links | 120 transfers | 1.2M records so far | 3.2k records/s | 0 late | 0 skipped | 2/2 threads busy',
  )
})

t.test('what does not fit is cut', async (t) => {
  const text = statusText(status)
  t.equal(statusText(status, { width: text.length }), text)
  for (let width = 1; width < text.length; width++) {
    t.equal(statusText(status, { width }), `${text.slice(0, width - 1)}…`)
  }
  t.equal(statusText(status, { width: 0 }), '')
})

t.test('colours take no room, and mark what is not as it should be', async (t) => {
  t.equal(statusText(status, { color: true }), statusText(status), 'all is well')
  const bad = { ...status, late: 1, skipped: 2, failed: 3 }
  const text = statusText(bad, { color: true })
  t.match(text, '\u001b[33m1 late\u001b[39m')
  t.match(text, '\u001b[33m2 skipped\u001b[39m')
  t.match(text, '\u001b[31m3 failed\u001b[39m')
  const plain = (colored: string) => colored.replace(/\u001b\[\d+m/g, '')
  t.equal(plain(text), statusText(bad))
  t.equal(plain(statusText(bad, { color: true, width: 50 })), statusText(bad, { width: 50 }))
})

t.test('numbers are short', async (t) => {
  const numbers: [number, string][] = [
    [0, '0'],
    [0.04, '0'],
    [0.44, '0.4'],
    [9, '9'],
    [9.96, '10'],
    [17.4, '17'],
    [999.4, '999'],
    [999.6, '1k'],
    [3210, '3.2k'],
    [20_000, '20k'],
    [99_960, '100k'],
    [999_600, '1M'],
    [1_540_000, '1.5M'],
    [2e9, '2G'],
    [5e12, '5T'],
  ]
  for (const [number, text] of numbers) t.equal(shortNumber(number), text)
})

t.test('nouns agree with their numbers', async (t) => {
  t.same(
    [0, 1, 2].map((count) => counted(count, 'link')),
    ['0 links', '1 link', '2 links'],
  )
})
