/** Runs the command with links that fail with a secret in all places, and looks for it in whatever the run leaves. */
import { createServer } from 'node:net'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cliFixture, MAIN, RunningCommand } from '../helpers/command.js'
import { mongoServer } from '../helpers/mongo.js'
import { listen, serve } from '../helpers/servers.js'

/** A token that is written differently in a URL, in JSON, in HTML and in base64. */
const TOKEN = 'tok"en/+ s\\ecr%et<&>42'
const PATH = 'services/T0001/B0002/abcdefghijkl'
const DATABASE = 'hidden_database'

/** Parts of the secrets, in the forms in which they may come up. */
const LEAKS = [
  'ecr%et',
  'ecr%25et',
  'ecr\\u0025et',
  Buffer.from('en/+ s\\ecr%et<&>').toString('base64').slice(2, -4),
  encodeURIComponent(TOKEN).slice(4, 16),
  Buffer.from(`app:${TOKEN}`).toString('base64').slice(8, 30),
  Buffer.from(TOKEN).toString('base64').slice(2, 20),
  'abcdefghijkl',
  'T0001',
  DATABASE,
]

/** Starts a server that gives what it is sent back, in all ways of failing. */
async function failingServer(t: Test): Promise<string> {
  const { url } = await serve(t, (request, response) => {
    const { authorization = '', 'x-key': key = '' } = request.headers
    const sent = `${authorization} ${String(key)} ${decodeURIComponent(request.url ?? '')}`
    const path = (request.url ?? '').split('?')[0]
    if (path === '/status') response.writeHead(500, { 'x-echo': encodeURIComponent(sent) }).end(sent)
    else if (path === '/echo') response.end(sent)
    else if (path === '/echo-text') response.end(JSON.stringify({ [sent]: sent }))
    else if (path === '/cut') response.writeHead(200, { 'content-length': 99 }).write(sent, () => response.destroy())
    else if (path === '/redirect') response.writeHead(302, { location: `/moved/${encodeURIComponent(sent)}` }).end()
    else if (path === '/unpacked') response.writeHead(200, { 'content-encoding': 'gzip' }).end(sent)
    else if (path === '/pages' || path === '/next') response.end('[1]')
    else response.writeHead(404, sent.replaceAll(/[^ -~]/g, '')).end(`{"error": "${sent}"}`)
  })
  return url.slice('http://'.length)
}

/** A server that hangs up on whoever connects. */
async function deafServer(t: Test): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => undefined).destroy())
  t.teardown(() => server.close())
  return `127.0.0.1:${await listen(server)}`
}

function assertNothing(t: Test, name: string, text: string): void {
  for (const leak of LEAKS) {
    const at = text.indexOf(leak)
    t.equal(at, -1, `${name} has ${leak}: ${at === -1 ? '' : text.slice(Math.max(0, at - 300), at + 100)}`)
  }
}

async function environment(t: Test) {
  const file = join(t.testdir({ store: {} }), 'token')
  writeFileSync(file, `${TOKEN}\n`)
  const host = await failingServer(t)
  const { url } = await mongoServer(t)
  const mongo = url === '' ? `mongodb://${await deafServer(t)}/` : url
  return {
    folder: join(file, '..'),
    env: {
      LEAK_TOKEN_FILE: file,
      LEAK_HOST: host,
      LEAK_MONGO: new URL(mongo).host,
      LEAK_DATABASE: DATABASE,
      LEAK_URL: `http://${host}/${PATH}`,
    },
  }
}

for (const level of ['trace', 'warn']) {
  t.test(`no secret is in what a run shows and leaves, with the log level ${level}`, async (t) => {
    const { folder, env } = await environment(t)
    const store = join(folder, 'store')
    const args = ['--json', '--log-level', level, '--store', store, '--threads', '2']
    const run = new RunningCommand(t, [process.execPath, MAIN, 'run', cliFixture('secretive.mjs'), ...args], env)
    const named = ['careless', 'redirect', 'secret-url', 'durable', 'dead', 'since-throws', 'in-param', 'cut'].map(
      (link) => `"report":{"link":"${link}"`,
    )
    const shown = [...named, '"event":"blocked"', '"link":"mongo-auth"']
    await run.until(() => shown.every((text) => run.stdout.includes(text)))
    run.kill('SIGTERM')
    await run.ended
    t.ok(run.stdout.includes('***'))
    assertNothing(t, 'standard output', run.stdout)
    assertNothing(t, 'standard error', run.stderr)
    const files = readdirSync(store, { recursive: true, encoding: 'utf8' })
    t.ok(files.length > 0, files.join(' '))
    for (const name of files) assertNothing(t, name, readFileSync(join(store, name), 'latin1'))
  })
}

for (const [where, code] of [
  ['thread', undefined],
  ['load', 1],
] as const) {
  t.test(`nor in the error that ends a ${where === 'load' ? 'module as it loads' : 'thread'}`, async (t) => {
    const { folder, env } = await environment(t)
    const command = where === 'load' ? ['check'] : ['run', '--log-level', 'debug', '--store', join(folder, 'store')]
    const run = new RunningCommand(t, [process.execPath, MAIN, ...command, cliFixture('secretive.mjs')], {
      ...env,
      LEAK_THROW: where,
    })
    if (where === 'thread') {
      await run.until(() => run.stderr.includes('nobody catches'))
      run.kill('SIGTERM')
    }
    const ended = await run.ended
    if (code !== undefined) t.equal(ended, code)
    t.match(run.stderr, where === 'load' ? /at load \*\*\* of / : /nobody catches \*\*\*/)
    assertNothing(t, 'standard output', run.stdout)
    assertNothing(t, 'standard error', run.stderr)
  })
}

t.test('a missing secret is named by check, with its place', async (t) => {
  const { env } = await environment(t)
  const { LEAK_TOKEN_FILE: _, ...without } = env
  const run = new RunningCommand(t, [process.execPath, MAIN, 'check', cliFixture('secretive.mjs')], without)
  t.equal(await run.ended, 1)
  t.match(run.stderr, /LEAK_TOKEN is not set, nor is LEAK_TOKEN_FILE \(file:\/\/[^ ]*secretive\.mjs:\d+:\d+\)$/m)
})
