import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import t from 'tap'

const root = resolve(import.meta.dirname, '..')

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort()
}

/** The imports and re-exports of a file; those of our own files as paths from the root, ending in `.ts`. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const atLoad = text.matchAll(/^(?:import|export)\s(type\s)?[^'"]*?from\s+'([^']+)'/gms)
  const atFirstUse = text.matchAll(/\bimport\(()'(\.[^']+)'\)/g)
  return [...atLoad, ...atFirstUse].map(([, type, to = '']) => ({
    from: file,
    to: to.startsWith('.') ? relative(root, resolve(root, dirname(file), to)).replace(/\.js$/, '.ts') : to,
    typeOnly: type?.startsWith('type') === true,
  }))
}

const all = [...sources('src'), ...sources('workers')].flatMap(importsOf)

/** Folders, each of which may import itself and those after it in its list. */
const MAY_IMPORT: Readonly<{ [folder: string]: readonly string[] }> = {
  'src/cli': ['src/cli', 'src/planners', 'src/threads', 'src'],
  'src/planners': ['src/planners', 'src/threads', 'src'],
  'src/threads': ['src/threads', 'src'],
  'src/testing': ['src/testing', 'src/planners', 'src'],
  'src/inlets': ['src/inlets', 'src'],
  'src/outlets': ['src/outlets', 'src'],
  src: ['src'],
  workers: ['src/threads', 'src'],
}

t.test('imports point from the command to planners to threads to links to nodes, never back', async (t) => {
  t.ok(all.length > 100, 'imports were found')
  for (const { from, to } of all) {
    if (from === 'src/index.ts' || !/^(src|workers)\//.test(to)) continue
    const allowed = MAY_IMPORT[dirname(from)] ?? []
    if (!allowed.includes(dirname(to))) t.fail(`${from} must not import ${to}`)
  }
})

t.test('no file imports itself by a detour', async (t) => {
  const graph = new Map<string, string[]>()
  for (const { from, to, typeOnly } of all) {
    if (!typeOnly) graph.set(from, [...(graph.get(from) ?? []), to])
  }
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      t.fail(`a circle of imports: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`)
      return
    }
    if (done.has(file)) return
    for (const to of graph.get(file) ?? []) visit(to, [...path, file])
    done.add(file)
  }
  const done = new Set<string>()
  for (const file of graph.keys()) visit(file, [])
  t.ok(done.size > 30, 'files were visited')
})

t.test('each library has one place', async (t) => {
  // those of src/libraries.ts are loaded at first use
  const loads = (file: string, library: string) =>
    readFileSync(join(root, file), 'utf8').includes(`library('${library}')`)
  const files = [...sources('src'), ...sources('workers')]
  const importers = (library: string) =>
    files.filter((file) => loads(file, library) || all.some(({ from, to }) => from === file && to === library))
  t.same(importers('piscina'), ['src/threads/thread-pool.ts'])
  t.same(importers('node-schedule'), ['src/planners/clock.ts'])
  t.same(importers('cron-parser'), ['src/interval.ts'])
  t.same(importers('p-limit'), ['src/transfer.ts'])
  t.same(importers('p-retry'), ['src/retry.ts'])
  t.same(importers('pino'), ['src/log.ts'])
  t.same(importers('csv-parse/sync'), ['src/inlets/csv-splitter.ts', 'src/outlets/csv-header.ts'])
  t.same(importers('csv-stringify/sync'), ['src/outlets/csv-rows.ts'])
  for (const optional of ['mongodb', 'undici']) {
    const loaded = all.filter(({ to, typeOnly }) => to === optional && !typeOnly)
    t.same(loaded, [], `${optional} is loaded by src/optional.ts alone, at first use`)
  }
  t.same(importers('chokidar'), ['src/cli/module-watch.ts'])
  t.same([...new Set(importers('commander').map(dirname))], ['src/cli'])
})

t.test(
  'what threads load is Latin-1: of a source with any other character, each would keep twice the bytes',
  async (t) => {
    for (const file of [...sources('src'), ...sources('workers')]) {
      if (/^src\/(cli|testing)\//.test(file)) continue
      t.notMatch(readFileSync(join(root, file), 'utf8'), /[^\x00-\xff]/, file)
    }
  },
)

t.test('one transfer knows no timer', async (t) => {
  for (const file of ['src/transfer.ts', 'src/tally.ts']) {
    t.notMatch(readFileSync(join(root, file), 'utf8'), /setTimeout|setInterval|setImmediate/, file)
  }
})

t.test('only the command reads arguments and the environment', async (t) => {
  for (const file of [...sources('src'), ...sources('workers')]) {
    if (file.startsWith('src/cli')) continue
    t.notMatch(readFileSync(join(root, file), 'utf8'), /process\.(argv|env)\b/, file)
  }
})

t.test('every connector is exported under its name', async (t) => {
  const index = readFileSync(join(root, 'src/index.ts'), 'utf8')
  for (const folder of ['src/inlets', 'src/outlets']) {
    const connectors = sources(folder).filter((file) => /-(inlet|outlet)\.ts$/.test(file))
    t.ok(connectors.length > 3, folder)
    for (const file of connectors) {
      const name = /([^/]+)\.ts$/
        .exec(file)?.[1]
        ?.replace(/(^|-)(\w)/g, (_, _dash, letter: string) => letter.toUpperCase())
      t.match(index, new RegExp(`\\b${name}\\b`), `${name} is exported`)
    }
  }
})

t.test('error codes are stable and told apart', async (t) => {
  const codes = [...readFileSync(join(root, 'src/errors.ts'), 'utf8').matchAll(/'(DATABAY_[A-Z_]+)'/g)].map(
    ([, code]) => code,
  )
  t.ok(codes.length > 10)
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
  t.same(Object.keys(exports), ['.', './testing', './package.json'])
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
