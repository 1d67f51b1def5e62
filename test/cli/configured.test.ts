/** Commands with a configuration file, as processes of their own. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { databay } from '../../src/cli/databay.js'
import { fakeContext } from '../helpers/command.js'
import { nodeStrips, project } from '../helpers/link-modules.js'
import { databay as built, node, problemsOf } from '../helpers/programs.js'

if (!existsSync(built)) t.bailout('the command is not built: run `npm run build` first')

const LINKS = `import { Link, PrintOutlet, RandomIntInlet } from 'databay'
console.log('links')
const make = (options) =>
  new Link({ inlets: new RandomIntInlet(7, 7), outlets: new PrintOutlet({ onlyPayload: true }), interval: 5, ...options })
export const orders_eu = make()
export const orders_us = make({ maxInstances: 3 })
export const mail = make({ tags: 'mail' })
export const nightly = make({ interval: undefined, cron: '0 3 * * *' })
`
const CONFIG = `import { defineConfig } from 'databay/config'
console.log('config')
export default defineConfig({
  modules: './lin*.js',
  threads: 2,
  links: {
    'orders_*': { interval: { minutes: 1 }, maxInstances: 2 },
    'tag:mail': { enabled: false },
    nightly: { interval: 9 },
  },
  profiles: {
    production: { threads: 1, ignoreExceptions: false, links: { orders_us: { maxInstances: 4 } } },
  },
})
`

const run = (folder: string, line: string, env: NodeJS.ProcessEnv = {}) =>
  node(folder, [built, ...line.split(' ')], env)

const shop = (t: Test, more: { readonly [name: string]: string } = {}) =>
  project(t, [], { 'links.js': LINKS, 'databay.config.js': CONFIG, ...more })

const root = process.cwd()

/** Runs the command in this process: quick, but without threads. */
async function here(folder: string, line: string, env: NodeJS.ProcessEnv) {
  process.chdir(folder)
  const context = fakeContext(line.split(' '), { env })
  try {
    const { code } = await databay(context)
    return { code, stdout: context.stdout.text, stderr: context.stderr.text }
  } finally {
    process.chdir(root)
  }
}

/** Checks that a command line is refused: one line on standard error, exit code 2, nothing started. */
type Runs = (
  folder: string,
  line: string,
  env: NodeJS.ProcessEnv,
) => Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }>

async function refused(
  t: Test,
  folder: string,
  line: string,
  message: RegExp,
  { env = {}, runs = here }: { readonly env?: NodeJS.ProcessEnv; readonly runs?: Runs } = {},
) {
  const { code, stdout, stderr } = await runs(folder, line, env)
  t.equal(code, 2, line)
  t.equal(stdout.replace(/^links\n/, ''), '', line)
  const said = stderr.split('\n').filter((one) => one !== 'config' && one !== 'links')
  t.match(said[0], message)
  t.same(said.slice(1), [''], stderr)
}

t.test('modules and settings of links come from the file in the working folder', async (t) => {
  const { code, stdout, stderr } = await run(shop(t), 'list --json')
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), [
    { id: 'nightly', schedule: 'every 9 s', immediateTransfer: true },
    { id: 'orders_eu', schedule: 'every 1 min', maxInstances: 2 },
    { id: 'orders_us', schedule: 'every 1 min', maxInstances: 2 },
  ])
  t.equal((JSON.parse(stdout) as unknown[]).length, 3, 'one is turned off')
  t.equal(stderr, 'config\nlinks\n', 'what is printed as they are loaded does not mix in')
})

t.test('a run, its threads and a profile go by it', async (t) => {
  const { code, stdout, stderr } = await run(shop(t), 'run --once --profile production')
  t.equal(code, 0, stderr)
  t.match(stderr, /started 3 links of 1 module in 1 thread\n/)
  t.equal(stdout.match(/ 7$/gm)?.length, 3, stdout)
})

t.test('a flag and the environment go before the file', async (t) => {
  const folder = shop(t)
  const fromEnvironment = await run(folder, 'run --once', { DATABAY_THREADS: '1', DATABAY_PROFILE: 'production' })
  t.match(fromEnvironment.stderr, /in 1 thread\n/)
  const fromFlag = await run(folder, 'run --once --threads 3', { DATABAY_THREADS: '1' })
  t.match(fromFlag.stderr, /in 3 threads\n/)
  const misspelt = await run(folder, 'list', { DATABAY_THRAEDS: '1', DATABAY_ROOT: '/' })
  t.equal(misspelt.code, 0)
  t.match(
    misspelt.stderr,
    /^databay: DATABAY_THRAEDS is no setting of databay: did you mean DATABAY_THREADS\?\nconfig\n/,
  )
})

t.test('a failed transfer stops a run when the configuration says so', async (t) => {
  const folder = project(t, [], {
    'links.js': `import { Link, NullInlet, NullOutlet } from 'databay'
class Failing extends NullOutlet { push() { throw new Error('no luck') } }
class One extends NullInlet { pull() { return [1] } }
export const failing = new Link({ inlets: new One(), outlets: new Failing(), interval: 0.1 })
`,
    'databay.config.js': `export default {
  modules: 'links.js', transfers: 3, profiles: { strict: { ignoreExceptions: false }, mild: { ignoreExceptions: true } } }`,
  })
  const failures = async (line: string) => /(\d+) failed/.exec((await run(folder, `run ${line}`)).stderr)?.[1]
  t.equal(await failures('--log-level fatal'), '3', 'by itself it goes on')
  t.equal(await failures('--log-level fatal --profile strict'), '1', 'it stops')
  t.equal(await failures('--log-level fatal --profile mild --no-immediate-transfer'), '3')
  t.equal(await failures('--log-level fatal --profile mild --no-immediate-transfer --stop-on-error'), '1')
})

t.test('modules that are given go before those of the file, which applies to them', async (t) => {
  const folder = shop(t, { 'other.js': LINKS.replaceAll('nightly', 'daily') })
  const { code, stdout, stderr } = await run(folder, 'list other.js')
  t.equal(code, 0, stderr)
  t.match(stdout, /^daily +cron 0 3 /m, 'a pattern that no link fits is no error here')
  t.match(stdout, /^orders_eu +every 1 min/m)
})

t.test('--config and DATABAY_CONFIG name another file, whose paths are relative to it', async (t) => {
  const folder = shop(t, { 'other.mjs': "export default { modules: './links.js', links: { mail: { interval: 3 } } }" })
  t.match((await run(folder, 'list --config other.mjs')).stdout, /^mail +mail +every 3 s/m)
  const elsewhere = project(t, [], {})
  t.match((await run(elsewhere, `list --config ${folder}/other.mjs`)).stdout, /^mail +mail +every 3 s/m)
  t.match((await run(elsewhere, 'list', { DATABAY_CONFIG: `${folder}/other.mjs` })).stdout, /^mail +mail +every 3 s/m)
  await refused(
    t,
    folder,
    'list --config othre.mjs',
    /^databay: --config: expected a configuration file that exists, got 'othre.mjs': did you mean other.mjs\?$/,
  )
  await refused(t, folder, 'list', /^databay: DATABAY_CONFIG: expected a configuration file, got '.'$/, {
    env: { DATABAY_CONFIG: '.' },
  })
})

t.test('what is wrong with a configuration is told in one line, and nothing starts', async (t) => {
  await refused(
    t,
    shop(t),
    'run --profile prodution',
    /^databay: --profile: .*\(it has production\), got 'prodution': did you mean production\?$/,
  )
  await refused(t, shop(t), 'run', /^databay: DATABAY_PROFILE: expected a profile/, { env: { DATABAY_PROFILE: 'x' } })
  await refused(t, shop(t), 'run', /^databay: DATABAY_THREADS: expected an integer of at least 1, got 0$/, {
    env: { DATABAY_THREADS: '0' },
  })
  const wrong = (config: string) => shop(t, { 'databay.config.js': config })
  await refused(
    t,
    wrong('export default { thraeds: 2 }'),
    'run',
    /^databay: databay.config.js: thraeds: .*: did you mean threads\?$/,
  )
  await refused(
    t,
    wrong("throw new Error('no luck')"),
    'check',
    /^databay: databay.config.js: failed to load: no luck \(file:.*:1:7\)$/,
  )
  const broken = await run(wrong('export default {\n  threads: 2,,\n}'), 'check')
  t.equal(broken.code, 2)
  t.match(
    broken.stderr,
    /^databay: databay.config.js: does not parse: Unexpected token ',' \(file:.*:2:14\)\n {4} {2}threads: 2,,\n +\^\n$/,
  )
  await refused(
    t,
    wrong("export default { modules: './lines/*.js' }"),
    'tune',
    /^databay: databay.config.js: modules: expected a pattern that/,
  )
  await refused(t, wrong("export default { modules: './link.js' }"), 'config', /: did you mean links.js\?$/)
  const one = "export default { modules: 'links.js', links: "
  await refused(
    t,
    wrong(`${one}{ 'ordres_*': { interval: 1 } } }`),
    'run',
    /^databay: databay.config.js: links\['ordres_\*'\]: .*: did you mean orders_\*\?$/,
    { runs: run },
  )
  await refused(t, wrong(`${one}{ 'tag:mial': { interval: 1 } } }`), 'check', /: did you mean tag:mail\?$/, {
    runs: run,
  })
  await refused(
    t,
    wrong(`${one}{ orders_us: { delivery: 'cursor' } } }`),
    'run',
    /^databay: databay.config.js: links\['orders_us'\]: link orders_us: maxInstances: expected 1 with delivery: 'cursor', got 3$/,
    { runs: run },
  )
  await refused(
    t,
    wrong(`${one}{ orders_us: { delivery: 'cursor' } } }`),
    'check',
    /links\['orders_us'\]: link orders_us: maxInstances: expected 1 /,
    { runs: run },
  )
  const beside = shop(t, { 'databay.config.ts': CONFIG })
  await refused(t, beside, 'run', /^databay: databay.config.ts: there is databay.config.js beside it: keep one of them/)
  const nothing = project(t, [], {})
  await refused(
    t,
    nothing,
    'run',
    /databay run links.js, or a configuration .* no databay.config.js .* databay create /,
  )
})

t.test('with --log-level debug, what is wrong has a stack', async (t) => {
  const { code, stderr } = await run(
    shop(t, { 'databay.config.js': "throw new Error('no luck')" }),
    'run --log-level debug',
  )
  t.equal(code, 2)
  t.match(stderr, /caused by: Error: no luck\n +at file:.*databay.config.js:1:7/)
})

t.test('--env-file is there for the configuration and for threads, and what is set goes before it', async (t) => {
  const folder = project(t, [], {
    '.env': 'EVERY=3\nNAME=file\nTAG=one\n',
    '.env.local': 'TAG="two"\nDATABAY_TRANSFERS=1\n',
    'links.js': `import { Link, NullInlet, NullOutlet } from 'databay'
const { NAME, TAG } = process.env
export const link = new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 5, tags: [NAME, TAG] })
`,
    'databay.config.js': `import { defineConfig, env } from 'databay/config'
export default defineConfig({ modules: 'links.js', links: { link: { interval: Number(env('EVERY')) } } })
`,
  })
  const files = '--env-file .env --env-file .env.local'
  const { stdout, stderr } = await run(folder, `list --json ${files}`, { NAME: 'process' })
  t.match(JSON.parse(stdout), [{ schedule: 'every 3 s', tags: ['process', 'two'] }], stderr)
  t.match((await run(folder, `config ${files}`)).stdout, /^transfers +1 +DATABAY_TRANSFERS$/m)
  // Node looks for this option itself
  const missing = await run(folder, 'list --env-file .evn')
  t.match(missing.stderr, /^databay: --env-file: expected a file that can be read, got '.evn'$|node: .evn: not found$/m)
  t.ok(missing.code === 2 || missing.code === 9)
  await refused(t, folder, 'check', /^databay: databay.config.js: .*EVERY.* is not set/)
})

t.test('config tells each value and where it comes from, and the links of each pattern', async (t) => {
  const folder = shop(t)
  const env = { DATABAY_LATE_AFTER: '3' }
  const { code, stdout, stderr } = await run(folder, 'config --profile production --transfers 4', env)
  t.equal(code, 0, stderr)
  t.match(stdout, /^configuration +databay.config.js +profile production\nlink modules +links.js +databay.config.js\n/)
  t.match(stdout, /^threads +1 +profile production$/m)
  t.match(stdout, /^transfers +4 +--transfers$/m)
  t.match(stdout, /^lateAfter +3 +DATABAY_LATE_AFTER$/m)
  t.match(stdout, /^ignoreExceptions +false +profile production$/m)
  t.match(stdout, /^hangTimeout +300 +default$/m)
  t.match(stdout, /^orders_\* .* links\['orders_\*'\] +orders_eu, orders_us$/m)
  t.match(stdout, /^tag:mail .* mail$/m)
  const json = JSON.parse((await run(folder, 'config --json', env)).stdout) as object
  t.match(json, {
    file: 'databay.config.js',
    profile: null,
    modules: { from: 'file', value: [/links.js$/] },
    options: { threads: { value: 2, from: 'file' }, lateAfter: { value: 3, name: 'DATABAY_LATE_AFTER' } },
    links: [{ pattern: 'orders_*', links: ['orders_eu', 'orders_us'] }, { links: ['mail'] }, { links: ['nightly'] }],
  })
})

t.test('config cuts a long value, so that where it comes from is beside it', async (t) => {
  const list = `[{ command: ['notify', '${'x'.repeat(100)}'] }]`
  const config = `export default { modules: './links.js', alerts: ${list} }`
  const folder = project(t, [], { 'links.js': LINKS, 'databay.config.js': config })
  const { stdout } = await run(folder, 'config')
  t.match(stdout, /^alerts +\[ \{ command: \[ 'notify', 'x+\u2026 +databay.config.js$/m)
  for (const line of stdout.split('\n')) t.ok(line.length < 120, line)
  const json = JSON.parse((await run(folder, 'config --json')).stdout) as object
  t.match(json, { options: { alerts: { value: [{ command: ['notify', 'x'.repeat(100)] }] } } })
})

t.test('a secret of a configuration is shown nowhere', async (t) => {
  const folder = project(t, [], {
    'links.js': LINKS,
    'databay.config.js': `import { defineConfig, secret } from 'databay/config'
const token = secret('TOKEN')
export default defineConfig({ modules: 'links.js', store: './' + token.reveal() + '/store' })
`,
    'broken.js': `import { secret } from 'databay/config'
throw new Error('no luck with ' + secret('TOKEN').reveal())
`,
  })
  const env = { TOKEN: 's3cr3t-t0ken' }
  for (const line of [
    'config',
    'config --json',
    'config --log-level trace',
    'list --config broken.js',
    'run --log-level debug --config broken.js',
  ]) {
    const { stdout, stderr } = await run(folder, line, env)
    t.match(stdout + stderr, /\*\*\*/, line)
    t.notMatch(stdout + stderr, env.TOKEN, line)
  }
})

t.test('a check finds what would be wrong with a configuration, and a tune goes by it', async (t) => {
  const folder = shop(t)
  t.match((await run(folder, 'check')).stdout, /3 links of 1 module: all can be loaded/)
  const { code, stdout, stderr } = await run(folder, 'tune --threads 1 --seconds 1.5 --json')
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { modules: [/links.js$/] })
})

for (const loader of ['tsx', 'jiti']) {
  t.test(
    `a configuration of TypeScript is loaded by the ${loader} of the user`,
    { skip: nodeStrips && 'Node does' },
    async (t) => {
      const typed = CONFIG.replace('./lin*.js', './lin*.ts').replace('threads: 2', 'threads: 2 as number')
      for (const type of ['module', 'commonjs']) {
        const files = { 'links.ts': LINKS.replace('(options)', '(options: object = {})'), 'databay.config.ts': typed }
        const folder = project(t, [loader], { ...files, 'package.json': JSON.stringify({ type }) })
        const { code, stdout, stderr } = await run(folder, 'run --once')
        t.equal(code, 0, stderr)
        t.equal(stdout.match(/ 7$/gm)?.length, 3, stdout)
      }
    },
  )
}

t.test('without tsx and jiti, one line says what to do', { skip: nodeStrips && 'Node does' }, async (t) => {
  const folder = project(t, [], { 'databay.config.ts': CONFIG })
  await refused(
    t,
    folder,
    'run',
    /^databay: databay.config.ts: cannot be loaded as it is: .* npm install --save-dev tsx /,
    { runs: run },
  )
})

t.test('the compiler refuses keys that there are not', async (t) => {
  const config = (text: string) =>
    `import { defineConfig } from 'databay/config'\nexport default defineConfig(${text})\n`
  const folder = project(t, [], {
    'good.ts': config(
      "{ modules: ['./a.ts'], threads: 4, links: { a: { interval: 5, enabled: false } }, profiles: { p: { threads: 1 } } }",
    ),
    'lazy.ts': config('async ({ profile }) => ({ threads: profile === undefined ? 1 : 2 })'),
    'key.ts': config('{ thraeds: 4 }'),
    'value.ts': config("{ threads: 'four' }"),
    'setting.ts': config("{ links: { 'orders_*': { intervall: 5 } } }"),
    'nested.ts': config('{ profiles: { p: { profiles: {} } } }'),
  })
  const wrong = ['key.ts', 'nested.ts', 'setting.ts', 'value.ts']
  const problems = problemsOf(folder, ['good.ts', 'lazy.ts', ...wrong])
  t.same(problems.map((one) => /^\/(\S+\.ts):/.exec(one)?.[1]).sort(), wrong)
})

t.test('commands that look at links load the module that sets threads up first', async (t) => {
  const folder = project(t, [], {
    'ready.js': 'globalThis.isReady = true',
    'links.js': `if (!globalThis.isReady) throw new Error('not set up')\n${LINKS}`,
    'databay.config.js': `export default { modules: ['./links.js'], threadSetup: './ready.js' }`,
  })
  for (const line of ['check', 'list', 'plan --hours 1']) {
    const { code, stderr } = await run(folder, line)
    t.equal(code, 0, `${line}: ${stderr}`)
  }
  writeFileSync(join(folder, 'ready.js'), "throw new Error('no SDK')")
  const { code, stderr } = await run(folder, 'check')
  t.equal(code, 1)
  t.match(stderr, /^databay: .*ready\.js: threadSetup: failed to load: no SDK[^\n]*\n$/m)
})
