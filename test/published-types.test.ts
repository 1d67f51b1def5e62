import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

const root = fileURLToPath(new URL('../', import.meta.url))
const built = join(root, 'dist/src')
const cases = join(root, 'test/types')

interface Manifest {
  readonly exports: { readonly [entry: string]: { readonly types: string } | string }
}

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const entries = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [join(root, entry.types)]))

/** The declarations that a file leads to, and what they import from elsewhere. */
function walk(file: string, found = new Map<string, readonly string[]>()): Map<string, readonly string[]> {
  if (found.has(file)) return found
  const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true)
  const names = [...importedFiles, ...typeReferenceDirectives].map(({ fileName }) => fileName)
  found.set(
    file,
    names.filter((name) => !name.startsWith('.')),
  )
  for (const name of names.filter((name) => name.startsWith('.'))) {
    walk(join(dirname(file), name.replace(/\.js$/, '.d.ts')), found)
  }
  return found
}

t.test('no public type leads to another package, or to a module of Node', (t) => {
  t.equal(entries.length, 7)
  for (const entry of entries) {
    for (const [file, others] of walk(entry)) t.strictSame(others, [], relative(root, file))
  }
  t.end()
})

/** A folder in which this package is installed, without what it needs. */
function installed(dir: string, { nodeTypes }: { readonly nodeTypes: boolean }): string {
  const copy = join(dir, 'node_modules/databay')
  const isDeclared = (path: string) => !path.endsWith('.js') && !path.endsWith('.map')
  cpSync(built, join(copy, 'dist/src'), { recursive: true, filter: isDeclared })
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  if (nodeTypes) {
    mkdirSync(join(dir, 'node_modules/@types'))
    symlinkSync(join(root, 'node_modules/@types/node'), join(dir, 'node_modules/@types/node'))
  }
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }')
  for (const name of readdirSync(cases)) {
    const text = readFileSync(join(cases, name), 'utf8')
    writeFileSync(
      join(dir, name),
      text.replaceAll(/'\.\.\/\.\.\/src\/(testing\/)?index\.js'/g, (_, testing) => {
        return testing === undefined ? "'databay'" : "'databay/testing'"
      }),
    )
  }
  return dir
}

const { ESNext, NodeNext } = ts.ModuleKind
const { Bundler } = ts.ModuleResolutionKind
const nodenext = { module: NodeNext }
const bundler = { module: ESNext, moduleResolution: Bundler }

const CONSUMERS = [
  { nodeTypes: false, exactOptionalPropertyTypes: true, ...nodenext },
  { nodeTypes: false, exactOptionalPropertyTypes: false, ...bundler },
  { nodeTypes: true, exactOptionalPropertyTypes: true, ...bundler },
]

for (const { nodeTypes, ...options } of CONSUMERS) {
  const resolution = options.module === NodeNext ? 'nodenext' : 'bundler'
  const exact = options.exactOptionalPropertyTypes ? 'exact' : 'inexact'
  const has = nodeTypes ? 'with' : 'without'
  t.test(`public types compile ${has} types of Node, by ${resolution}, with ${exact} options`, (t) => {
    const dir = installed(t.testdir(), { nodeTypes })
    // what is about URLs needs the types of the platform
    const names = readdirSync(cases).filter((name) => nodeTypes || name !== 'planner.ts')
    const program = ts.createProgram(
      names.map((name) => join(dir, name)),
      {
        strict: true,
        skipLibCheck: false,
        noEmit: true,
        target: ts.ScriptTarget.ES2022,
        lib: ['lib.es2022.d.ts'],
        types: nodeTypes ? ['node'] : [],
        typeRoots: [join(dir, 'node_modules/@types')],
        ...options,
      },
    )
    const text = ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => dir,
      getNewLine: () => '\n',
    })
    t.equal(text, '')
    t.end()
  })
}
