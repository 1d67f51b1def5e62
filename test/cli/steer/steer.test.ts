/** The commands that steer a process, on processes that run. */
import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { databay } from '../../../src/cli/databay.js'
import { askFor } from '../../../src/cli/steer/control-client.js'
import { command, fakeContext, type RunningCommand } from '../../helpers/command.js'
import { ownTemporaryFolder, shortFolder } from '../../helpers/sockets.js'

/** Runs a command in this process. */
async function run(line: string, env: { [name: string]: string } = {}) {
  const context = fakeContext(line.split(' '), { env })
  const { code } = await databay(context)
  return { code, stdout: context.stdout.text, stderr: context.stderr.text }
}

/** Runs links in a process of their own until they have started. */
async function started(t: Test, line: string): Promise<RunningCommand> {
  const running = command(t, `run ${line} --threads 1`)
  await running.until(() => running.stderr.includes('started'))
  return running
}

t.test('without a process, it is said where it was looked for, and how to start one', async (t) => {
  const folder = ownTemporaryFolder(t)
  for (const line of ['status', 'force --all', 'pause', 'resume', 'status --pid 1']) {
    const { code, stdout, stderr } = await run(line)
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, /^databay: (no process runs links|process 1 runs no links)/)
    t.match(stderr, `looked for its socket in ${folder}/databay-`)
    t.match(stderr, 'start one with databay run')
  }
  const { code, stdout } = await run('status --json')
  t.equal(code, 2)
  t.match(JSON.parse(stdout), { error: { code: 'DATABAY_CONTROL', message: 'no process runs links' } })
  t.match(await run(`status --control ${folder}/x.sock`), {
    code: 2,
    stderr: `databay: ${folder}/x.sock: there is no socket: no process is steered by it\n`,
  })
})

t.test('one process is found, looked at and steered', async (t) => {
  const folder = ownTemporaryFolder(t)
  const process = await started(t, 'hourly.mjs failing.mjs')
  await process.until(() => process.stderr.includes('the source is gone'))

  let status = await run('status')
  // a link fails; the log is ahead of the counts
  while (status.code === 0) status = await run('status')
  const { code, stdout, stderr } = status
  t.equal(stderr, '')
  t.equal(code, 1, 'a link fails')
  const [head, counts, , title, first, second] = stdout.split('\n')
  t.match(head, /^process \d+, databay \d.* on Node \d.*, up .*: 2 links of hourly.mjs, failing.mjs in 1 thread$/)
  t.match(counts, /^\d+ transfers?, \d+ failed, 0 late, \d+ skipped$/)
  t.match(title, /^link +state +last +next +pulled +pushed/)
  t.match(`${first}\n${second}`, /^hourly/m)

  const watching = fakeContext(['status', '--watch', '--link', 'hourly'])
  const { stdout: pipe } = watching
  pipe.write = () => {
    setImmediate(() => pipe.emit('error', new Error('EPIPE')))
    return true
  }
  t.match(await databay(watching), { code: 0 }, 'who has read enough ends it')

  t.match(await run('force --link hourly'), {
    code: 0,
    stdout: /^hourly: ok in [\d.]+ m?s, \d+ records? pulled, \d+ pushed\n$/,
  })
  t.match(await run('force --link hourly --quiet'), { code: 0, stdout: '', stderr: '' })
  t.match(await run('force --link hourly --no-wait'), { code: 0, stdout: '1 transfer begun\n' })
  const forced = await run('force --link hourly --json')
  t.match(JSON.parse(forced.stdout), {
    transfers: [{ link: 'hourly', report: { link: 'hourly' } }],
    made: 1,
    failed: 0,
  })
  t.match(await run('force --link hourl'), { code: 2, stdout: '', stderr: /got 'hourl': did you mean hourly\?\n$/ })
  t.match(await run('force'), { code: 2, stderr: /^databay: force: expected --link, --tag or --all/ })
  t.match(await run('force --all --link hourly'), {
    code: 2,
    stderr: /^databay: --all: expected no --link and no --tag/,
  })

  t.match(await run('pause --link failing'), { code: 0, stdout: 'failing is paused\n' })
  t.match(await run('pause --link failing'), { code: 0, stdout: 'failing was paused before\n' })
  t.match(await run('pause'), { code: 0, stdout: 'the planner is paused\n' })
  t.match((await run('status')).stdout, /; paused: nothing is due\n/)
  t.match(await run('resume'), {
    code: 0,
    stdout: 'the planner is resumed\nfailing stays paused, as it was paused by itself: resume --link failing\n',
  })
  t.match(await run('status --link hourly'), { code: 0 }, 'only what is shown counts')
  t.match(process.stderr, /root|\w+ \(process \d+\) has paused failing \(databay\.Control\)/)
  t.match(await run('resume --all --json'), { code: 0, stdout: /"changed": \[\n +"failing"/ })

  process.kill('SIGTERM')
  t.equal(await process.ended, 0)
  t.same(readdirSync(join(folder, readdirSync(folder)[0] ?? '')), [])
})

t.test('a configuration with secrets that this shell has not does not keep a process from being found', async (t) => {
  const file = join(ownTemporaryFolder(t), 'databay.config.mjs')
  const secret = "(() => { throw new Error('API_TOKEN is not set') })()"
  writeFileSync(file, `export default { modules: './links.js', store: ${secret} }\n`)
  await started(t, 'hourly.mjs')
  const { code, stdout, stderr } = await run('status', { DATABAY_CONFIG: file })
  t.equal(code, 0)
  t.match(stdout, /^process \d+, /)
  t.match(stderr, /API_TOKEN is not set.*; the process is looked for without the configuration\n$/)
  t.match(await run(`status --config ${file}`), { code: 2, stdout: '', stderr: 'API_TOKEN is not set' })
})

t.test('of several processes, one is chosen by its number; one that was killed is not among them', async (t) => {
  const folder = ownTemporaryFolder(t)
  const [one, other, killed] = await Promise.all([
    started(t, 'hourly.mjs'),
    started(t, 'ticks.mjs'),
    started(t, 'hourly.mjs'),
  ])
  killed.kill('SIGKILL' as never)
  await killed.ended
  const sockets = join(folder, readdirSync(folder)[0] ?? '')
  t.equal(readdirSync(sockets).length, 3)
  const { code, stderr } = await run('status')
  t.equal(code, 2)
  t.match(stderr, /^databay: several processes run links: choose one by --pid\n/)
  t.match(stderr, /\n {2}\d+ +[\d: -]+ +1 link of hourly\.mjs\n/)
  t.match(stderr, /\n {2}\d+ +[\d:]+ +1 link of ticks\.mjs\n/)
  t.equal(readdirSync(sockets).length, 2, 'the socket of the killed one is removed')
  const pid = /\n {2}(\d+) +[\d:]+ +1 link of ticks\.mjs\n/.exec(stderr)?.[1] ?? ''
  t.match(await run(`force --link ticks --pid ${pid}`), { code: 0, stdout: /^ticks: ok/ })
  t.match(await run('status --pid 1'), {
    code: 2,
    stderr: /process 1 runs no links that can be steered\. Those that do:/,
  })
  other.kill('SIGTERM')
  await other.ended
  t.match(await run('status'), { code: 0 }, 'the only one is found')
  one.kill('SIGTERM')
})

t.test(
  '--control says where the socket is, also in the place of a killed process; --no-control makes none',
  async (t) => {
    const folder = ownTemporaryFolder(t)
    const path = join(shortFolder(t), 'my.sock')
    const killed = await started(t, `hourly.mjs --control ${path}`)
    const second = command(t, `run hourly.mjs --threads 1 --control ${path}`)
    t.equal(await second.ended, 1)
    t.match(second.stderr, `${path}: another process is steered by this socket`)
    killed.kill('SIGKILL' as never)
    await killed.ended
    t.ok(existsSync(path))
    t.match(await run(`status --control ${path}`), { code: 2, stderr: /nobody listens at it any more/ })
    const running = await started(t, `hourly.mjs --control ${path}`)
    t.equal(lstatSync(path).mode & 0o777, 0o600)
    t.match(await run(`status --control ${path}`), { code: 0 })
    t.match(await run('status'), { code: 0 }, 'it is found without, too')
    running.kill('SIGTERM')
    t.equal(await running.ended, 0)
    t.notOk(existsSync(path))

    const without = await started(t, 'hourly.mjs --no-control')
    t.match(await run('status'), { code: 2 })
    without.kill('SIGTERM')
    t.equal(await without.ended, 0)
    t.ok(existsSync(folder))
  },
)

t.test('a process is found by its store', async (t) => {
  ownTemporaryFolder(t)
  const store = join(shortFolder(t), 'store')
  const running = await started(t, `hourly.mjs --store ${store}`)
  const other = await started(t, 'ticks.mjs')
  t.match(await run(`status --store ${store}`), { code: 0, stdout: /hourly\.mjs/ })
  t.match(await run('status', { DATABAY_STORE: store }), { code: 0, stdout: /hourly\.mjs/ })
  running.kill('SIGTERM')
  await running.ended
  t.match(await run(`status --store ${store}`), { code: 2, stderr: 'no process is steered by it' })
  t.match(
    await run('status', { DATABAY_STORE: store }),
    { code: 0, stdout: /ticks\.mjs/ },
    'the environment is no must',
  )
  other.kill('SIGTERM')
})

t.test('a process that does not answer is said to, in time', async (t) => {
  const path = join(shortFolder(t), 's')
  const answers: { [kind: string]: string | undefined } = {
    silent: undefined,
    ending: '',
    strange: 'HTTP/1.1 400\r\n\r\n',
  }
  const server = createServer((socket) => {
    const answer = answers[kind]
    socket.on('error', () => undefined)
    if (answer !== undefined) socket.end(answer)
  }).listen(path)
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
  })
  let kind = 'silent'
  await t.rejects(askFor(path, { action: 'hello' }, 100), /did not answer within 0\.1 s: it hangs, or is stopped/)
  kind = 'ending'
  await t.rejects(askFor(path, { action: 'hello' }), /ended the connection without an answer/)
  kind = 'strange'
  await t.rejects(askFor(path, { action: 'hello' }), /what answers there is no databay/)
})

t.test('a folder of sockets that others may use is refused', async (t) => {
  const folder = ownTemporaryFolder(t)
  const sockets = join(folder, `databay-${process.getuid?.() ?? 0}`)
  mkdirSync(sockets)
  chmodSync(sockets, 0o777)
  t.match(await run('status'), {
    code: 2,
    stderr: `${sockets}, where sockets of running processes lie, can be used by other`,
  })
})
