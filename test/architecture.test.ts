import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { circles, forbidden, importsOf, print, sources } from './house.js'

const root = resolve(import.meta.dirname, '..')
const all = importsOf(root)

t.test('each folder imports only what lies below it, types too', async (t) => {
  t.ok(all.length > 100, 'imports were found')
  for (const { from, to } of forbidden(all)) t.fail(`${from} must not import ${to}`)
})

t.test('an import against the plan is found', async (t) => {
  const broken = [
    ['src/base/check.ts', 'src/core/record.ts'],
    ['src/core/link.ts', 'src/connectors/files/file-inlet.ts'],
    ['src/core/transfer/pull.ts', 'src/planners/base-planner.ts'],
    ['src/connectors/http/http-inlet.ts', 'src/connectors/files/disk.ts'],
    ['src/connectors/lists.ts', 'src/connectors/http/retry.ts'],
    ['src/connectors/http/inlet/pages.ts', 'src/connectors/http/outlet/push.ts'],
    ['src/connectors/s3/xml.ts', 'src/connectors/http/inlet/pages.ts'],
    ['src/connectors/postgres/inlet/select.ts', 'src/connectors/s3/client.ts'],
    ['src/connectors/files/disk.ts', 'src/threads/protocol/messages.ts'],
    ['src/threads/main/thread.ts', 'src/threads/worker/link-host.ts'],
    ['src/threads/worker/link-host.ts', 'src/threads/main/thread.ts'],
    ['src/threads/protocol/messages.ts', 'src/threads/main/thread.ts'],
    ['src/threads/main/thread.ts', 'src/connectors/lists.ts'],
    ['src/planners/clock/trigger.ts', 'src/planners/base-planner.ts'],
    ['src/store/store.ts', 'src/connectors/lists.ts'],
    ['src/core/link.ts', 'src/store/store.ts'],
    ['src/planners/worker-planner.ts', 'src/threads/worker/link-host.ts'],
    ['src/planners/base-planner.ts', 'src/testing/claims.ts'],
    ['src/planners/base-planner.ts', 'src/cli/main.ts'],
    ['src/cli/run/run-counts.ts', 'src/threads/main/thread-link.ts'],
    ['src/base/log.ts', 'src/index.ts'],
    ['src/base/log.ts', 'workers/transfer.ts'],
    ['src/elsewhere/file.ts', 'src/base/log.ts'],
  ].map(([from = '', to = '']) => ({ from, to }))
  t.strictSame(forbidden(broken), broken)
  const kept = [
    ['src/core/link.ts', 'src/core/transfer/transfer.ts'],
    ['src/core/transfer/transfer.ts', 'src/core/record.ts'],
    ['src/connectors/csv/csv-inlet.ts', 'src/connectors/files/following.ts'],
    ['src/connectors/http/http-inlet.ts', 'src/connectors/lists.ts'],
    ['src/connectors/http/http-inlet.ts', 'src/connectors/http/inlet/pages.ts'],
    ['src/connectors/http/inlet/pages.ts', 'src/connectors/http/retry.ts'],
    ['src/planners/worker-planner.ts', 'src/threads/main/thread-pool.ts'],
    ['src/planners/dispatcher.ts', 'src/planners/clock/trigger.ts'],
    ['workers/transfer.ts', 'src/threads/worker/link-host.ts'],
  ].map(([from = '', to = '']) => ({ from, to }))
  t.strictSame(forbidden(kept), [])
})

t.test('no file imports itself by a detour, by a type neither', async (t) => {
  for (const circle of circles(all)) t.fail(`a circle of imports: ${circle.join(' -> ')}`)
  t.pass('circles were looked for')
})

t.test('a circle is found', async (t) => {
  const a = { from: 'src/a.ts', to: 'src/b.ts' }
  const b = { from: 'src/b.ts', to: 'src/c.ts' }
  t.strictSame(circles([a, b, { from: 'src/c.ts', to: 'src/d.ts' }]), [])
  t.strictSame(circles([a, b, { from: 'src/c.ts', to: 'src/b.ts' }]), [['src/b.ts', 'src/c.ts', 'src/b.ts']])
})

t.test('the house in figures', async (t) => {
  const lines: string[] = []
  print(root, (line) => lines.push(line))
  for (const line of lines) t.comment(line)
  t.match(lines.join('\n'), /files in the root of src +1$/m, 'the public face stands alone in the root')
})

t.test('each library has one place', async (t) => {
  // some are loaded at first use, see src/base/libraries.ts
  const loads = (file: string, library: string) => readFileSync(join(root, file), 'utf8').includes(`>('${library}')`)
  const files = sources(root)
  const importers = (library: string) =>
    files.filter((file) => loads(file, library) || all.some(({ from, to }) => from === file && to === library))
  t.same(importers('piscina'), ['src/threads/main/thread-worker.ts'])
  t.same(importers('node-schedule'), ['src/planners/clock/clock.ts'])
  t.same(importers('croner'), ['src/core/cron.ts'])
  t.same(importers('cron-parser'), [], 'it loses days where clocks change')
  t.same(importers('js-tokens'), ['src/base/hidden-state.ts'])
  t.same(importers('p-limit'), ['src/core/transfer/pull.ts'])
  t.same(importers('p-retry'), ['src/base/retry.ts'])
  t.same(importers('pino'), ['src/base/log.ts'])
  t.same(importers('csv-parse/sync'), ['src/connectors/csv/header.ts', 'src/connectors/csv/row-parser.ts'])
  t.same(importers('tinyglobby'), ['src/config/modules.ts'])
  t.same(importers('chokidar'), ['src/cli/run/module-watcher.ts'])
  t.same(importers('hono'), ['src/operate/http/app.ts'])
  t.same(importers('@hono/node-server'), ['src/operate/http/http-service.ts'])
  t.same(
    [...new Set(importers('commander').map(dirname))],
    [
      'src/cli',
      'src/cli/config',
      'src/cli/create',
      'src/cli/dead-letters',
      'src/cli/explain',
      'src/cli/ledger',
      'src/cli/links',
      'src/cli/plan',
      'src/cli/run',
      'src/cli/steer',
      'src/cli/store',
      'src/cli/tune',
    ],
  )
})

t.test(
  'an optional package is loaded at first use, by the folder of one connector, by the store or by telemetry, which states its version',
  async (t) => {
    const { peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      peerDependencies: { [name: string]: string }
    }
    t.ok(Object.keys(peerDependencies).length > 1)
    for (const [name, range] of Object.entries(peerDependencies)) {
      const atLoad = all.filter(({ to, typeOnly }) => to === name && !typeOnly)
      t.same(atLoad, [], `${name} is loaded at first use alone`)
      const loading = sources(root).filter((file) =>
        readFileSync(join(root, file), 'utf8').includes(`() => import('${name}')`),
      )
      t.match(loading, [/^src\/(connectors\/\w+\/[\w-]+|store\/driver|telemetry\/api)\.ts$/], `${name} has one place`)
      t.equal(loading.length, 1, `${name} has no other place`)
      t.match(
        // on one line, however long it is
        readFileSync(join(root, loading[0] ?? ''), 'utf8')
          .replaceAll(/\s+/g, ' ')
          .replaceAll(', }', ' }'),
        `{ name: '${name}', range: '${range}', load: () => import('${name}') }`,
      )
    }
  },
)

t.test(
  'what threads load is Latin-1: of a source with any other character, each would keep twice the bytes',
  async (t) => {
    for (const file of sources(root)) {
      if (/^src\/(cli|testing)\//.test(file)) continue
      t.notMatch(readFileSync(join(root, file), 'utf8'), /[^\x00-\xff]/, file)
    }
  },
)

t.test('no file of the store is opened by anything but SQLite: its locks would end', async (t) => {
  const allowed = /^(chmodSync|existsSync|mkdirSync|readdirSync|renameSync|rmSync|statSync)$/
  for (const file of sources(root, ['src/store'])) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const [, names = ''] of text.matchAll(/^import ([^'"]*?) from\s+'(?:node:)?fs(?:\/promises)?'/gms)) {
      for (const name of names.replaceAll(/[{}\s]/g, '').split(',')) t.match(name, allowed, `${file} imports ${name}`)
    }
    t.notMatch(text, /import\(\s*'(node:)?fs|require\('(node:)?fs/, file)
  }
  const naming = sources(root).filter((file) => /store\.db|owner\.db/.test(readFileSync(join(root, file), 'utf8')))
  t.same(naming, ['src/store/store-files.ts'], 'no other file knows their names')
})

t.test('SQLite is loaded by one file', async (t) => {
  const loading = sources(root).filter((file) => readFileSync(join(root, file), 'utf8').includes(`'node:sqlite'`))
  t.same(loading, ['src/store/driver.ts'])
})

t.test('one transfer knows no timer', async (t) => {
  for (const file of sources(root, ['src/core/transfer'])) {
    t.notMatch(readFileSync(join(root, file), 'utf8'), /setTimeout|setInterval|setImmediate/, file)
  }
})

t.test('only the command reads arguments and the environment, but for two files that are about that', async (t) => {
  const about = ['src/base/environment.ts', 'src/connectors/http/environment.ts']
  for (const file of sources(root)) {
    if (file.startsWith('src/cli') || about.includes(file)) continue
    t.notMatch(readFileSync(join(root, file), 'utf8'), /process\.(argv|env)\b/, file)
  }
})

t.test('every connector is exported under its name', async (t) => {
  const index = readFileSync(join(root, 'src/index.ts'), 'utf8')
  const connectors = sources(root, ['src/connectors']).filter((file) => /-(inlet|outlet)\.ts$/.test(file))
  t.ok(connectors.length > 9)
  for (const file of connectors) {
    const name = /([^/]+)\.ts$/
      .exec(file)?.[1]
      ?.replace(/(^|-)(\w)/g, (_, _dash, letter: string) => letter.toUpperCase())
    t.match(index, new RegExp(`\\b${name}\\b`), `${name} is exported`)
  }
})

t.test('every error has a code of its own', async (t) => {
  const source = sources(root)
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('')
  const classes = [...source.matchAll(/^export class (\w+) extends DatabayError \{\n(.*)/gm)]
  const codes = classes.map(([, name, first = '']) => {
    const [, code] = /^ {2}static override readonly code = '(DATABAY_[A-Z\d_]+)'$/.exec(first) ?? []
    t.ok(code, `${name} starts with its code`)
    return code
  })
  t.ok(codes.length > 20)
  t.equal(new Set(codes).size, codes.length, 'no code is used twice')
})

t.test('nothing imports the contract suites', async (t) => {
  for (const { from, to } of all) {
    if (to.startsWith('src/testing/') && !from.startsWith('src/testing/')) t.fail(`${from} must not import ${to}`)
  }
})

t.test('what is published is what is built', async (t) => {
  const { exports, bin, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: { [subpath: string]: { types: string; default: string } | string }
    bin: { databay: string }
    files: string[]
  }
  t.same(Object.keys(exports), [
    '.',
    './config',
    './http',
    './postgres',
    './s3',
    './testing',
    './worker',
    './package.json',
  ])
  const entries = Object.values(exports).filter((entry) => typeof entry === 'object')
  const built = [...entries.flatMap((entry) => [entry.types, entry.default]), bin.databay, 'dist/workers/transfer.js']
  for (const file of built) {
    t.ok(readFileSync(join(root, file), 'utf8').length > 0, file)
    t.ok(
      files.some((folder) => join(file).startsWith(`${folder}/`)),
      `${file} is published`,
    )
  }
})
