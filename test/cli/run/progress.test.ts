import t from 'tap'
import { plainProgress, showProgress } from '../../../src/cli/run/progress.js'
import { statusText } from '../../../src/cli/run/status-text.js'
import type { Status } from '../../../src/cli/run/status-text.js'
import { FakeStream, screenOf } from '../../helpers/command.js'

const status: Status = {
  ...{ links: 4, transfers: 120, recordsPerSecond: 0, late: 1, skipped: 0, failed: 0, busyThreads: 2, threads: 2 },
}
const text = '4 links | 120 transfers | 0 records/s | 1 late | 0 skipped | 2/2 threads busy'

function show(columns: number, env: { [name: string]: string }) {
  const stdout = new FakeStream(columns)
  const stderr = new FakeStream(columns)
  const said: string[] = []
  const progress = showProgress(
    { stdout, stderr, env },
    () => status,
    (line) => said.push(line),
  )
  return { progress, stdout, stderr, said }
}

t.test('a terminal has a status line at once, in colour', async (t) => {
  const { progress, stderr, stdout, said } = show(100, {})
  t.same(screenOf(stderr.text), [text])
  t.match(stderr.text, '\u001b[33m1 late')
  progress.close()
  t.same(screenOf(stderr.text), [''])
  t.equal(stdout.text, '')
  t.same(said, [])
})

t.test('the status line is cut to the width of the terminal', async (t) => {
  const { progress, stderr } = show(20, {})
  t.same(screenOf(stderr.text), [`${text.slice(0, 18)}…`])
  progress.close()
})

t.test('the status line is refreshed, at most four times a second', async (t) => {
  const stderr = new FakeStream(100)
  let asked = 0
  const begun = performance.now()
  const next = new Promise<void>((resolve) => {
    const changing = () => {
      if (++asked === 4) resolve()
      return { ...status, transfers: asked }
    }
    const progress = showProgress({ stdout: new FakeStream(), stderr, env: {} }, changing, () => {})
    t.teardown(() => {
      progress.close()
    })
  })
  const keepAlive = setTimeout(() => {}, 10_000)
  await next
  clearTimeout(keepAlive)
  t.ok(performance.now() - begun >= 3 * 249)
  t.match(screenOf(stderr.text).join(''), '4 transfers')
})

t.test('NO_COLOR takes the colours away, unless it is empty', async (t) => {
  for (const [value, colored] of [
    ['1', false],
    ['', true],
  ] as const) {
    const { progress, stderr } = show(100, { NO_COLOR: value })
    t.equal(stderr.text.includes('\u001b[33m'), colored)
    progress.close()
  }
})

t.test('elsewhere, and on a terminal that cannot rewrite lines, nothing is shown at once', async (t) => {
  for (const { progress, stderr, said } of [show(0, {}), show(100, { TERM: 'dumb' })]) {
    t.equal(stderr.text, '')
    t.same(said, [])
    progress.close()
  }
})

t.test('elsewhere a line is said now and then', async (t) => {
  const said: string[] = []
  const keepAlive = setTimeout(() => {}, 10_000)
  await new Promise<void>((resolve) => {
    const progress = plainProgress(
      () => statusText(status),
      (line) => {
        if (said.push(line) < 2) return
        progress.close()
        resolve()
      },
      5,
    )
  })
  clearTimeout(keepAlive)
  t.same(said, [text, text])
})
