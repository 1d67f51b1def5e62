import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { readConfiguration, type ConfigurationParts } from '../../src/config/configuration.js'
import { readEnvFiles } from '../../src/config/env-files.js'
import { ConfigError, InvalidOptionError } from '../../src/base/errors.js'

let folders = 0

/** Reads the configuration of a new folder. */
function read(
  t: Test,
  files: { readonly [name: string]: string },
  parts: Partial<ConfigurationParts> & { readonly name?: string } = {},
) {
  // a module is loaded once under its URL
  const own = `config${++folders}`
  const folder = join(t.testdir({ [own]: files }), own)
  const { name = 'databay.config.mjs', ...others } = parts
  const defaults = { profile: undefined, environment: {}, flags: {}, nameOfFlag: (option: string) => `--${option}` }
  return {
    folder,
    reading: readConfiguration({ file: join(folder, name), ...defaults, needsModules: true, ...others }),
  }
}

const profile = (name: string) => ({ name, option: '--profile' })

/** Checks what is said of a configuration that exports this. */
async function refused(t: Test, config: string, message: string | RegExp, parts: Partial<ConfigurationParts> = {}) {
  const { folder, reading } = read(t, { 'databay.config.mjs': `export default ${config}` }, parts)
  const error = await reading.then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  )
  t.ok(error instanceof ConfigError || error instanceof InvalidOptionError, config)
  const said = error?.message.replaceAll(folder, '.').replaceAll(/^[^ ]*databay\.config/g, 'databay.config')
  if (typeof message === 'string') t.equal(said, message)
  else t.match(said, message)
  t.notMatch(said, /\n(?! {4})/, 'on one line')
}

t.test('a flag goes before the environment, that before the profile, that before the file', async (t) => {
  const config = `export default {
    threads: 1, transfersPerThread: 2, lateAfter: 3, timeoutGrace: 4, drain: false,
    profiles: { production: { transfersPerThread: 20, lateAfter: 30, timeoutGrace: 40 }, other: { threads: 9 } },
  }`
  const { reading } = read(
    t,
    { 'databay.config.mjs': config },
    {
      profile: profile('production'),
      environment: { DATABAY_LATE_AFTER: '300', DATABAY_TIMEOUT_GRACE: '400', DATABAY_DRAIN: '', PATH: '/bin' },
      flags: { timeoutGrace: 4000 },
    },
  )
  const { planner, origins, modules, profile: chosen } = await reading
  t.strictSame(planner, { threads: 1, transfersPerThread: 20, lateAfter: 300, timeoutGrace: 4000, drain: false })
  t.match(Object.fromEntries(origins), {
    threads: { from: 'file', name: 'threads' },
    transfersPerThread: { from: 'profile', name: 'profiles.production.transfersPerThread' },
    lateAfter: { from: 'environment', name: 'DATABAY_LATE_AFTER' },
    timeoutGrace: { from: 'flag', name: '--timeoutGrace' },
    hangTimeout: { from: 'default' },
  })
  t.strictSame(modules, [])
  t.equal(chosen, 'production')
})

t.test('modules are paths and patterns, relative to the file, each once', async (t) => {
  const { folder, reading } = read(t, {
    'databay.config.mjs': `export default { modules: ['./links/*.js', 'mail.mjs', './links/b.js', '!links/*.test.js', './[x].js'] }`,
    links: { 'b.js': '', 'a.js': '', 'a.test.js': '', 'c.d.ts': '', 'notes.md': '', deep: { 'd.js': '' } },
    'mail.mjs': '',
    '[x].js': '',
  } as never)
  const { modules } = await reading
  const at = (name: string) => pathToFileURL(join(folder, name)).href
  t.strictSame(modules, [at('links/a.js'), at('links/b.js'), at('mail.mjs'), at('[x].js')])
})

t.test('paths of options are relative to the file, and URLs stay', async (t) => {
  const { folder, reading } = read(t, {
    'databay.config.mjs': `export default { store: './.databay', threadSetup: 'setup.mjs' }`,
  })
  t.match((await reading).planner, { store: join(folder, '.databay'), threadSetup: join(folder, 'setup.mjs') })
})

t.test('overrides of a profile come after those of the file', async (t) => {
  const { reading } = read(
    t,
    {
      'databay.config.mjs': `export default {
        links: { 'orders_*': { interval: 5 } }, profiles: { production: { links: { 'tag:x': { enabled: false } } } } }`,
    },
    { profile: profile('production') },
  )
  t.match((await reading).links, [
    { pattern: 'orders_*', settings: { interval: 5 }, place: "links['orders_*']" },
    { pattern: 'tag:x', settings: { enabled: false }, place: "profiles.production.links['tag:x']" },
  ])
})

t.test('a configuration is an object, a promise of one, or a function that gives one', async (t) => {
  for (const source of ['{ threads: 3 }', 'Promise.resolve({ threads: 3 })', '() => ({ threads: 3 })']) {
    t.match((await read(t, { 'databay.config.mjs': `export default ${source}` }).reading).planner, { threads: 3 })
  }
  const asked = 'async ({ profile }) => ({ threads: profile === "x" ? 3 : 1, profiles: { x: {} } })'
  const { reading } = read(t, { 'databay.config.mjs': `export default ${asked}` }, { profile: profile('x') })
  t.match((await reading).planner, { threads: 3 })
  const name = 'databay.config.cjs'
  t.match((await read(t, { [name]: 'module.exports = { threads: 4 }' }, { name }).reading).planner, { threads: 4 })
  const compiled = 'exports.__esModule = true; exports.default = { threads: 5 }'
  t.match((await read(t, { [name]: compiled }, { name }).reading).planner, { threads: 5 })
})

t.test('unknown keys are errors with their place, and what was probably meant', async (t) => {
  await refused(t, '{ thraeds: 4 }', 'databay.config.mjs: thraeds: there is no such key: did you mean threads?')
  await refused(
    t,
    '{ profiles: { production: { thraeds: 4 } } }',
    'databay.config.mjs: profiles.production.thraeds: there is no such key: did you mean threads?',
  )
  await refused(t, '{ profile: {} }', /^databay.config.mjs: profile: there is no such key: did you mean profiles\?$/)
  await refused(t, '{ xyzzy: 1 }', /: there is no such key: there are modules, links, ignoreExceptions, .*, profiles$/)
  await refused(
    t,
    '{ profiles: { a: { profiles: {} } } }',
    /profiles.a.profiles: a profile has no profiles of its own$/,
  )
  await refused(
    t,
    '{ interval: 5 }',
    "databay.config.mjs: interval: it is a setting of links, as in links: { '*': { interval: ... } }",
  )
  await refused(
    t,
    "{ links: { 'a_*': { intervall: 5 } } }",
    "databay.config.mjs: links['a_*'].intervall: there is no such setting: did you mean interval?",
  )
  await refused(t, '{ links: { a: { threads: 5 } } }', /links\['a'\].threads: it is an option of the planner/)
  await refused(
    t,
    '{ links: { a: { tags: "x" } } }',
    /links\['a'\].tags: it is part of the link: change it in the link/,
  )
})

t.test('wrong values are errors that say what was expected and what came', async (t) => {
  await refused(t, "{ threads: 'four' }", "databay.config.mjs: threads: expected an integer of at least 1, got 'four'")
  await refused(t, '{ profiles: [] }', 'databay.config.mjs: profiles: expected an object, got []')
  await refused(t, '{ profiles: { a: 1 } }', 'databay.config.mjs: profiles.a: expected an object, got 1')
  await refused(t, '{ links: [] }', 'databay.config.mjs: links: expected an object, got []')
  await refused(t, '{ links: { a: 5 } }', "databay.config.mjs: links['a']: expected an object, got 5")
  await refused(t, "{ links: { 'tag:': {} } }", /links\['tag:'\]: expected the id of links, or 'tag:' and a tag/)
  await refused(
    t,
    '{ links: { a: { maxInstances: 0 } } }',
    /links\['a'\].maxInstances: expected an integer of at least 1, got 0$/,
  )
  await refused(
    t,
    '{ links: { a: { interval: 0 } } }',
    /links\['a'\].interval: expected a number of seconds or a duration/,
  )
  await refused(
    t,
    '{ links: { a: { interval: { minuts: 5 } } } }',
    /links\['a'\].interval.minuts: .* did you mean minutes\?$/,
  )
  await refused(t, '{ links: { a: { cron: "61 * * * *" } } }', /links\['a'\].cron: expected /)
  await refused(t, '{ links: { a: { timeZone: "Mars" } } }', /links\['a'\].timeZone: expected an IANA time zone/)
  await refused(
    t,
    '{ links: { a: { interval: 5, cron: "* * * * *" } } }',
    /links\['a'\].interval: expected either interval or cron/,
  )
  await refused(t, '{ links: { a: { enabled: "no" } } }', /links\['a'\].enabled: expected a boolean, got 'no'$/)
  await refused(t, '{ links: { a: { deadLetters: { redact: (r) => r } } } }', /links\['a'\].deadLetters.redact: /)
  await refused(
    t,
    '{ links: { a: { retry: { minDelays: 1 } } } }',
    /links\['a'\].retry.minDelays: .*did you mean minDelay\? They are /,
  )
})

t.test('modules that are not there are errors', async (t) => {
  await refused(
    t,
    "{ modules: './links/*.ts' }",
    "databay.config.mjs: modules: expected a pattern that some file with code fits, got './links/*.ts': none in . does",
  )
  await refused(
    t,
    "{ modules: ['databay.config.mjs', './nowhere.js'] }",
    /^databay.config.mjs: modules\[1\]: expected a link module that exists, got '.\/nowhere.js'/,
  )
  await refused(t, "{ modules: './databay.config.js' }", /there is databay.config.mjs, but no databay.config.js/)
  await refused(t, '{ modules: [] }', 'databay.config.mjs: modules: expected at least one link module, got []')
  await refused(t, '{ modules: [5] }', /modules\[0\]: expected a path or a file: URL of a link module, got 5$/)
  await refused(t, "{ modules: 'https://example.org/links.js' }", /modules: expected a path or a file: URL/)
  await refused(t, "{ modules: '.' }", /modules: expected a link module, which is a file/)
})

t.test('a file that cannot be used says why, without a stack', async (t) => {
  await refused(
    t,
    'undefined',
    "databay.config.mjs: exports nothing by default: expected 'export default defineConfig({ ... })'",
  )
  await refused(
    t,
    '() => undefined',
    "databay.config.mjs: gives undefined: expected 'export default defineConfig({ ... })'",
  )
  await refused(t, '[]', /exports a list: expected 'export default/)
  await refused(t, '5', /exports a number: expected/)
  await refused(
    t,
    '(() => { throw new Error("no luck") })()',
    /^databay.config.mjs: failed to load: no luck \(file:.*mjs:1:\d+\)$/,
  )
  await refused(t, 'await Promise.reject("a word")', /^databay.config.mjs: threw 'a word' while it was loaded$/)
  await refused(t, '{ threads: 4', /^databay.config.mjs: does not parse: Unexpected/)
  const { reading } = read(t, { 'databay.config.mjs': 'export const threads = 4' })
  await t.rejects(reading, { code: 'DATABAY_CONFIG', message: /exports nothing by default/ })
  const missing = read(t, { 'databay.config.mjs': 'import "./settings.js"', 'setting.js': '' })
  await t.rejects(missing.reading, { message: /failed to load: Cannot find module .*: did you mean setting.js\?$/ })
})

t.test('a profile that there is not is an error that names those that there are', async (t) => {
  await refused(
    t,
    '{ profiles: { production: {}, test: {} } }',
    /^--profile: expected a profile of .*databay.config.mjs \(it has production, test\), got 'prodution': did you mean production\?$/,
    { profile: profile('prodution') },
  )
  await refused(t, '{}', /\(it has none\), got 'x'$/, { profile: profile('x') })
  await t.rejects(
    readConfiguration({
      file: undefined,
      profile: profile('x'),
      environment: {},
      flags: {},
      nameOfFlag: String,
      needsModules: true,
    }),
    {
      option: '--profile',
      message: /expected a configuration file that has this profile, got 'x': name it with --config/,
    },
  )
})

t.test('what the environment says is read as its option wants it', async (t) => {
  const of = async (environment: ConfigurationParts['environment']) =>
    (await read(t, { 'databay.config.mjs': 'export default {}' }, { environment }).reading).planner
  t.strictSame(
    await of({
      DATABAY_THREADS: '2',
      DATABAY_IGNORE_EXCEPTIONS: 'true',
      DATABAY_HANG_TIMEOUT: '{"minutes":2}',
      DATABAY_STORE: '7',
    }),
    { ignoreExceptions: true, store: '7', threads: 2, hangTimeout: { minutes: 2 } },
  )
  t.strictSame(await of({ DATABAY_TRANSFERS: 'Infinity', DATABAY_STORE: '[a]' }), { transfers: Infinity, store: '[a]' })
  await t.rejects(of({ DATABAY_THREADS: 'many' }), { option: 'DATABAY_THREADS', message: /got 'many'$/ })
  await t.rejects(of({ DATABAY_DRAIN: 'yes' }), { message: "DATABAY_DRAIN: expected a boolean, got 'yes'" })
  await t.rejects(of({ DATABAY_THREADS: '0' }), {
    message: /^DATABAY_THREADS: expected an integer of at least 1, got 0$/,
  })
})

t.test('a later file with variables goes before an earlier one, and the environment before both', async (t) => {
  const folder = t.testdir({ '.env': 'A=1\nB=1\nC=1\n', '.env.local': 'B="2"\nC=2\n' })
  const files = [join(folder, '.env'), join(folder, '.env.local')]
  t.strictSame(readEnvFiles('--env-file', files, { C: '', D: '4' }), { A: '1', B: '2' })
  t.throws(() => readEnvFiles('--env-file', [folder], {}), {
    code: 'DATABAY_INVALID_OPTION',
    message: /^--env-file: expected a file that can be read, got /,
  })
})

t.test('what has no fields is no configuration, and what throws when it is read says so on one line', async (t) => {
  await refused(t, 'new Map([["modules", "./a.mjs"]])', /exports a Map: expected 'export default/)
  await refused(t, 'new Date()', /exports a Date: expected/)
  await refused(t, 'class Config {}', /^databay.config.mjs: exports a class: expected/)
  await refused(t, '{ links: new Map([["a", { interval: 5 }]]) }', /links: expected an object with fields, got 'a Map'/)
  await refused(t, '{ links: { a: new Date() } }', /links\['a'\]: expected an object with fields/)
  await refused(t, '{ profiles: { p: new Set() } }', /profiles.p: expected an object with fields/)
  await refused(t, '{ get threads() { throw new Error("no") } }', 'databay.config.mjs: cannot be read: no')
  await refused(t, '{ links: { a: { get interval() { throw 5 } } } }', /^databay.config.mjs: cannot be read: /)
  await refused(t, 'new Proxy({}, { ownKeys() { throw new Error("no") } })', 'databay.config.mjs: cannot be read: no')
})

t.test('a secret is no configuration', async (t) => {
  const { reading } = read(t, {
    'databay.config.mjs': `import { Secret } from '${pathToFileURL('dist/src/index.js').href}'
      export default new Secret('hunter2-hunter2')`,
  })
  await t.rejects(reading, { code: 'DATABAY_CONFIG', message: /exports a Secret: expected/ })
})
