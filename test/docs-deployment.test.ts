/** Lints the files of examples/deployment, which are in docs/deployment.md, and runs the commands in them. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { existsSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { validate } from 'dockerfile-utils'
import t, { type Test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { databay } from './helpers/programs.js'

const root = resolve(import.meta.dirname, '..')
const folder = join(root, 'examples/deployment')
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const page = readFileSync(join(root, 'docs/deployment.md'), 'utf8')

/** Time that a planner gives its shutdown by default, in seconds. */
const SHUTDOWN = 60

t.test('the files are in the page as they are', async (t) => {
  const blocks = [...page.matchAll(/```\w+\n(?:#|\/\/) (\S+)\n([^]*?)```/g)]
  const files = readdirSync(folder).filter((name) => name !== 'README.md')
  t.same(blocks.map(([, name]) => name).toSorted(), files.toSorted())
  for (const [, name = '', text] of blocks) t.equal(text, read(name), name)
})

interface Setting {
  readonly section: string
  readonly key: string
  readonly value: string
}

/** Keys of a unit, as in systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5) and systemd.resource-control(5). */
const KEYS: { readonly [section: string]: readonly string[] } = {
  Unit: ['Description', 'Wants', 'After', 'StartLimitIntervalSec', 'StartLimitBurst'],
  Service: [
    ...['User', 'WorkingDirectory', 'ExecStart', 'Restart', 'RestartSec', 'KillMode', 'TimeoutStopSec'],
    ...['StateDirectory', 'MemoryMax', 'Nice', 'NoNewPrivileges', 'ProtectSystem', 'ProtectHome', 'PrivateTmp'],
  ],
  Install: ['WantedBy'],
}

function settingsOf(unit: string): Setting[] {
  let section = ''
  return unit.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return []
    const [, title] = /^\[(\w+)\]$/.exec(line) ?? []
    if (title !== undefined) section = title
    if (title !== undefined) return []
    const [, key = line, value = ''] = /^(\w+)=(.+)$/.exec(line) ?? []
    return [{ section, key, value }]
  })
}

const settings = settingsOf(read('databay.service'))
const setting = (name: string) => settings.find(({ key }) => key === name)?.value ?? ''

t.test('the unit of systemd', async (t) => {
  t.test('has sections and keys that there are, each once', async (t) => {
    t.same(
      settings.filter(({ section, key, value }) => value === '' || !KEYS[section]?.includes(key)),
      [],
    )
    t.equal(new Set(settings.map(({ key }) => key)).size, settings.length)
    for (const key of ['ExecStart', 'WorkingDirectory', 'WantedBy']) t.not(setting(key), '', key)
  })

  t.test('waits for an orderly shutdown, and starts again', async (t) => {
    t.ok(Number(setting('TimeoutStopSec')) > SHUTDOWN)
    t.equal(setting('Restart'), 'always')
  })

  const analyze = commandIsThere('systemd-analyze')
  t.test('is what systemd-analyze accepts', { skip: analyze ? false : 'no systemd-analyze' }, async (t) => {
    const unit = read('databay.service').replace('/usr/bin/node', process.execPath)
    const path = join(t.testdir({ 'databay.service': unit }), 'databay.service')
    // it says what it does not like on standard error, and mostly exits with 0
    const complaints = execFileSync('sh', ['-c', 'systemd-analyze verify "$0" 2>&1', path], { encoding: 'utf8' })
    t.notMatch(complaints, 'databay.service')
  })
})

function commandIsThere(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const dockerfile = read('Dockerfile')
const command = JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? '') as string[]

t.test('the Dockerfile', async (t) => {
  t.test('has no mistakes', async (t) => {
    t.same(validate(dockerfile), [])
    t.not(validate('FROM node\nCPY a b\n').length, 0, 'the check finds one')
  })

  t.test('does not run as root, and runs no shell as process 1', async (t) => {
    t.match(dockerfile, /^USER node$/m)
    t.match(command, ['node'])
  })

  t.test('copies files that there are, or that npm makes', async (t) => {
    const copied = [...dockerfile.matchAll(/^COPY (.*) \.\/$/gm)].flatMap(([, names = '']) => names.split(' '))
    t.ok(copied.length > 0)
    for (const name of copied) t.ok(/^package(-lock)?\.json$/.test(name) || existsSync(join(folder, name)), name)
  })
})

/** What the manifest is expected to have, as far as a test here looks at it. */
interface Deployment {
  readonly spec: {
    readonly replicas: number
    readonly strategy: { readonly type: string }
    readonly selector: { readonly matchLabels: object }
    readonly template: { readonly metadata: { readonly labels: object }; readonly spec: Pod }
  }
}
interface Pod {
  readonly terminationGracePeriodSeconds: number
  readonly volumes: readonly { readonly name: string; readonly persistentVolumeClaim: { readonly claimName: string } }[]
  readonly containers: readonly {
    readonly image: string
    readonly resources: { readonly limits: { readonly memory: string } }
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
    readonly startupProbe: Probe
    readonly readinessProbe: Probe
    readonly livenessProbe: Probe
  }[]
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
  readonly periodSeconds: number
  readonly failureThreshold?: number
}

const documents = parseAllDocuments(read('kubernetes.yaml'), { strict: true, uniqueKeys: true })
const [claim, deployment] = documents.map((one) => one.toJS() as unknown) as [
  { readonly metadata: { readonly name: string } },
  Deployment,
]
const { template, ...spec } = deployment.spec
const [container] = template.spec.containers

t.test('the manifest of Kubernetes', async (t) => {
  t.test('is YAML of two objects with kind, version and name', async (t) => {
    t.same(
      documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]),
      [],
    )
    t.match(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: String } })
    t.match(deployment, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: String } })
  })

  t.test('has one process at a time, which has the time to end in order', async (t) => {
    t.match(spec, { replicas: 1, strategy: { type: 'Recreate' } })
    t.ok(template.spec.terminationGracePeriodSeconds > SHUTDOWN)
  })

  t.test('selects its own pods, and mounts a volume that it claims', async (t) => {
    t.same(spec.selector.matchLabels, template.metadata.labels)
    const [volume] = template.spec.volumes
    t.equal(volume?.persistentVolumeClaim.claimName, claim.metadata.name)
    t.match(container, { image: /^\S+:\S+$/, resources: { limits: { memory: /^\d+[MG]i$/ } } })
    t.match(container?.volumeMounts, [{ name: volume?.name, mountPath: /^VOLUME (.*)$/m.exec(dockerfile)?.[1] }])
  })
})

t.test('probes ask where the command listens', async (t) => {
  const [port] = container?.ports ?? []
  const probes = [container?.startupProbe, container?.readinessProbe, container?.livenessProbe]
  t.same(
    probes.map((probe) => probe?.httpGet),
    [
      { path: '/readyz', port: port?.name },
      { path: '/readyz', port: port?.name },
      { path: '/healthz', port: port?.name },
    ],
  )
  t.equal(command.at(-2), '--http')
  t.equal(command.at(-1), `:${port?.containerPort}`, 'from wherever the container is reached')
  t.match(dockerfile, `EXPOSE ${port?.containerPort}\n`)
  t.match(dockerfile, `http://127.0.0.1:${port?.containerPort}/healthz`)
  t.match(read('kubernetes.yaml'), `prometheus.io/port: '${port?.containerPort}'`)
  // a start may take as long as the planner gives it
  const { periodSeconds = 0, failureThreshold = 3 } = container?.startupProbe ?? {}
  t.ok(periodSeconds * failureThreshold > SHUTDOWN, 'the start has the time that startTimeout gives it')
})

/** A folder as `npm ci` leaves it, with a file for the links. */
function installed(t: Test): string {
  const at = t.testdir({
    'links.mjs': read('links.mjs'),
    'main.mjs': read('main.mjs'),
    state: { 'prices.csv': 'id,price\n1,2\n' },
    node_modules: {},
  })
  symlinkSync(root, join(at, 'node_modules/databay'))
  return at
}

/** Runs a command until its links have transferred, then ends it with SIGTERM. */
async function run(t: Test, [file = '', ...args]: readonly string[]) {
  t.match(file, /^(\/usr\/bin\/)?node$/)
  const at = installed(t)
  const state = join(at, 'state')
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env
  // the port may be taken here: the system gives one that is free
  const port = await freePort()
  const own = args.map((arg) => arg.replace(/^(127\.0\.0\.1)?:9464$/, `$1:${port}`))
  const child = spawn(process.execPath, own, { cwd: at, env: { ...env, STATE_DIRECTORY: state } })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)))
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('close', (...how) => resolve(how)),
  )
  const moved = () => existsSync(join(state, 'prices.jsonl')) && existsSync(join(state, 'heartbeat'))
  while (!moved() && child.exitCode === null) await wait(20)
  const answers = own.includes('--http') ? await probe(port) : undefined
  child.kill('SIGTERM')
  const [code, signal] = await ended
  t.match(readFileSync(join(state, 'prices.jsonl'), 'utf8'), '{"id":"1","price":"2"}\n', output)
  return { code, signal, output, state, answers }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Answers of the probes, once the links have started. */
async function probe(port: number) {
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  while ((await get('/readyz')).status === 503) await wait(20)
  const [health, ready, metrics] = await Promise.all(['/healthz', '/readyz', '/metrics'].map(get))
  return [health?.status, ready?.status, /^databay_links \d+$/m.exec((await metrics?.text()) ?? '')?.[0]]
}

/** Makes what follows a process with a network of its own. */
const UNSHARE = ['unshare', '--map-root-user', '--net']

function canUnshare(): boolean {
  const [file = '', ...args] = UNSHARE
  return spawnSync(file, [...args, 'true']).status === 0
}

t.test(
  'a position file is locked within one network namespace, and not beyond it',
  { skip: canUnshare() ? false : 'namespaces of networks cannot be made here' },
  async (t) => {
    const at = installed(t)
    const env = { ...process.env, NODE_OPTIONS: '', STATE_DIRECTORY: 'state' }
    const command = [process.execPath, databay, 'run', 'links.mjs', '--threads', '1', '--quiet', '--link', 'prices']
    const [file = '', ...args] = command
    const first = spawn(file, args, { cwd: at, env })
    t.teardown(() => first.kill('SIGKILL'))
    while (!existsSync(join(at, 'state/prices.jsonl')) && first.exitCode === null) await wait(20)
    const second = (...before: string[]) => {
      const [file, ...args] = [...before, ...command, '--once']
      return spawnSync(file, args, { cwd: at, env, encoding: 'utf8' })
    }
    t.match(second(), { status: 1, stderr: 'it is in use by link prices' })
    t.match(second(...UNSHARE), { status: 0, stderr: '' })
    first.kill('SIGTERM')
    t.same(await once(first, 'close'), [0, null])
  },
)

t.test('the commands really run, and end in order', async (t) => {
  t.test('ExecStart of the unit', async (t) => {
    const { code, output, answers } = await run(t, setting('ExecStart').split(' '))
    t.equal(code, 0)
    t.same(answers, [200, 200, 'databay_links 2'])
    t.match(output, 'is shut down')
  })

  t.test('CMD of the Dockerfile, and the file that tells that links move', async (t) => {
    const { code, output, state, answers } = await run(t, command)
    t.equal(code, 0)
    t.match(output, '"event":"finished"')
    t.same(answers, [200, 200, 'databay_links 2'])
    const [, line = ''] = /```sh\n(test -n .*)\n```/.exec(page) ?? []
    const isAlive = () => spawnSync('sh', ['-c', line.replace('/data/heartbeat', `'${state}/heartbeat'`)]).status === 0
    t.ok(isAlive())
    const old = Date.now() / 1000 - 180
    utimesSync(join(state, 'heartbeat'), old, old)
    t.notOk(isAlive())
    writeFileSync(join(state, 'heartbeat'), '')
    t.ok(isAlive())
  })

  t.test('HEALTHCHECK of the Dockerfile says whether somebody answers', async (t) => {
    const [, text = '[]'] = /^HEALTHCHECK .*CMD (.*)$/m.exec(dockerfile) ?? []
    const [, ...args] = JSON.parse(text) as string[]
    const server = createHttpServer((_, response) => response.end('ok')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const check = async () => {
      const child = spawn(
        process.execPath,
        args.map((arg) => arg.replace('9464', String(port))),
      )
      return ((await once(child, 'close')) as [number])[0]
    }
    t.equal(await check(), 0)
    server.close()
    server.closeAllConnections()
    t.equal(await check(), 1)
  })

  t.test('the program', async (t) => {
    t.match(await run(t, ['node', 'main.mjs']), { code: null, signal: 'SIGTERM' })
  })
})
