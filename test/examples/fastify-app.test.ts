import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { RunningCommand } from '../helpers/command.js'
import { serve } from '../helpers/servers.js'

const APP = fileURLToPath(new URL('../../dist/examples/fastify-app/app.js', import.meta.url))

interface Health {
  readonly healthy: boolean
  readonly links: readonly { link: string; consecutiveFailures: number; lastSuccessAt: number | null }[]
}

/** Starts the service beside an API of rates, which answers as the test wants. */
async function start(t: Test, answer = (response: ServerResponse) => void response.end('{"EUR":1}')) {
  const rates = { answer, asked: 0 }
  const { server, url } = await serve(t, (_request, response) => {
    rates.asked++
    rates.answer(response)
  })
  const file = `${t.testdir({})}/rates.jsonl`
  const env = { RATES_URL: `${url}/rates`, RATES_FILE: file, RATES_SECONDS: '0.1', PORT: '0', NODE_OPTIONS: '' }
  const app = new RunningCommand(t, [process.execPath, APP], env)
  await app.until(() => app.stdout.includes('Server listening'))
  const address = /http:\/\/127\.0\.0\.1:\d+/.exec(app.stdout)?.[0] ?? /http:\/\/[^"]+/.exec(app.stdout)?.[0] ?? ''
  const health = async () => {
    const response = await fetch(`${address}/health`)
    return { status: response.status, body: (await response.json()) as Health }
  }
  const until = async (isSo: (seen: Awaited<ReturnType<typeof health>>) => boolean) => {
    for (;;) {
      const seen = await health()
      if (isSo(seen)) return seen
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  return { app, rates, server, until, lines: () => readFileSync(file, 'utf8').trimEnd().split('\n').length }
}

t.test('it is unhealthy while the API fails, and healthy again when that has passed', async (t) => {
  const { app, rates, until } = await start(t)
  const well = await until(({ status }) => status === 200)
  t.match(well, { status: 200, body: { healthy: true, links: [{ link: 'rates', consecutiveFailures: 0 }] } })
  const { answer } = rates
  rates.answer = (response) => void response.writeHead(404).end()
  const ill = await until(({ status }) => status === 503)
  t.ok((ill.body.links[0]?.consecutiveFailures ?? 0) >= 3)
  t.ok(
    (ill.body.links[0]?.lastSuccessAt ?? 0) >= (well.body.links[0]?.lastSuccessAt ?? Infinity),
    'it is told since when',
  )
  t.match(
    app.stdout,
    /^\{"level":50,.*"name":"databay\.Link","thread":1,.*404/m,
    'its log is in the one of the service',
  )
  t.equal(app.stderr, '')
  rates.answer = answer
  t.match(await until(({ status }) => status === 200), { body: { links: [{ consecutiveFailures: 0 }] } })
  app.kill('SIGTERM')
  t.equal(await app.ended, 0)
})

t.test('a stop lets the transfer that runs end', async (t) => {
  const { app, rates, server, until, lines } = await start(t)
  await until(({ status }) => status === 200)
  const waiting: ServerResponse[] = []
  rates.answer = (response) => void waiting.push(response)
  const before = rates.asked
  while (rates.asked === before) await once(server, 'request')
  const [ended] = waiting
  app.kill('SIGTERM')
  setTimeout(() => ended?.end('{"EUR":2}'), 300)
  t.equal(await app.ended, 0)
  t.equal(lines(), rates.asked, 'what it was given is written')
  t.notMatch(app.stdout + app.stderr, /"level":[56]0|Error/, 'no error; that it was due meanwhile may be told')
})

t.test('a stop while it starts is orderly, too', async (t) => {
  const { app, rates } = await start(t, (response) => void setTimeout(() => response.end('{"EUR":1}'), 500))
  while (rates.asked === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  app.kill('SIGTERM')
  t.equal(await app.ended, 0)
})

t.test('it ends when its links cannot be started', async (t) => {
  const app = new RunningCommand(t, [process.execPath, APP], { RATES_FILE: '', PORT: '0', NODE_OPTIONS: '' })
  t.equal(await app.ended, 1)
  t.match(app.stdout, /FileOutlet.filepath/)
})
