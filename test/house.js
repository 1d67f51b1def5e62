/**
 * Finds the imports of `src`, those that break the rules of docs/architecture.md, and the sizes of files. The architecture
 * test asserts the rules; `npm run house [folder]` prints the figures, of this checkout or of another.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

/**
 * Rules: for each folder the others that it may import. The first rule that fits a folder counts, so a folder comes before
 * the folder that it lies in.
 */
export const RULES = [
  ['src/base/modules', ['src/base']],
  ['src/base', []],
  ['src/core', ['src/base']],
  ['src/connectors/csv', ['src/connectors/files', 'src/connectors', 'src/core', 'src/base']],
  [
    'src/connectors/s3',
    ['src/connectors/http', 'src/connectors/csv', 'src/connectors/files', 'src/connectors', 'src/core', 'src/base'],
  ],
  ['src/connectors/*', ['src/connectors', 'src/core', 'src/base']],
  ['src/connectors', ['src/core', 'src/base']],
  ['src/store/ledger', ['src/store', 'src/core', 'src/base']],
  ['src/store', ['src/core', 'src/base']],
  ['src/delivery', ['src/store', 'src/core', 'src/base']],
  ['src/threads/protocol', ['src/core', 'src/base']],
  ['src/threads/main', ['src/threads/protocol', 'src/core', 'src/base']],
  ['src/telemetry', ['src/core', 'src/base']],
  ['src/threads/worker', ['src/threads/protocol', 'src/delivery', 'src/telemetry', 'src/core', 'src/base']],
  ['src/operate/telemetry', ['src/operate', 'src/threads/main', 'src/telemetry', 'src/core', 'src/base']],
  ['src/operate/*', ['src/operate', 'src/threads/main', 'src/core', 'src/base']],
  ['src/operate', ['src/threads/main', 'src/core', 'src/base']],
  ['src/planners/clock', ['src/core', 'src/base']],
  [
    'src/planners',
    [
      'src/planners/clock',
      'src/operate',
      'src/threads/main',
      'src/threads/protocol',
      'src/delivery',
      'src/store',
      'src/core',
      'src/base',
    ],
  ],
  ['src/testing', ['src/planners', 'src/core', 'src/base']],
  ['src/config', ['src/planners', 'src/operate', 'src/threads/protocol', 'src/core', 'src/base']],
  [
    'src/cli',
    ['src/config', 'src/planners', 'src/operate', 'src/store', 'src/threads/protocol', 'src/core', 'src/base'],
  ],
  ['workers', ['src/threads/worker', 'src/threads/protocol', 'src/core', 'src/base', 'src/index.ts']],
]

/** Folders whose subfolders may import each other. */
export const OPEN_PLAN = ['src/core', 'src/testing', 'src/cli']

/** @param {string} root */
export function sources(root, folders = ['src', 'workers']) {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name))
      .sort(),
  )
}

/** Imports and re-exports of all files, those of types too. Files of our own are paths from the root. */
export function importsOf(root, files = sources(root)) {
  return files.flatMap((from) => {
    const text = readFileSync(join(root, from), 'utf8')
    const atLoad = text.matchAll(/^(?:import|export)\s(type\s)?[^'"]*?from\s+'([^']+)'/gms)
    const atFirstUse = text.matchAll(/\bimport\(()'(\.[^']+)'\)/g)
    return [...atLoad, ...atFirstUse].map(([, type, to = '']) => ({
      from,
      to: to.startsWith('.') ? relative(root, resolve(root, dirname(from), to)).replace(/\.js$/, '.ts') : to,
      typeOnly: type?.startsWith('type') === true,
    }))
  })
}

/** Imports that the rules forbid. The public face may import all that it shows. */
export function forbidden(imports) {
  return imports.filter(({ from, to }) => {
    if (from === 'src/index.ts' || !/^(src|workers)\//.test(to)) return false
    const here = dirname(from)
    const there = dirname(to)
    if (here === there) return false
    const rule = RULES.find(([folder]) => fits(folder, here))
    if (rule === undefined) return true
    const [, allowed] = rule
    const shared = OPEN_PLAN.find((folder) => fits(folder, here) && fits(folder, there))
    const isFree = shared !== undefined || areOfOneSystem(here, there)
    return !isFree && !allowed.some((one) => one === to || one === there || inRoom(one, there))
  })
}

/** Whether an allowed folder covers a folder within it. It does, but for connectors: each system, and each side, stands alone. */
function inRoom(allowed, folder) {
  return !allowed.startsWith('src/connectors') && folder.startsWith(`${allowed}/`)
}

/** Whether two folders are that of a connector, and its `inlet` or `outlet`. */
function areOfOneSystem(here, there) {
  const [system, side] = [here, there].sort()
  return /^src\/connectors\/\w+$/.test(system) && [`${system}/inlet`, `${system}/outlet`].includes(side)
}

function fits(folder, path) {
  if (!folder.endsWith('/*')) return path === folder || path.startsWith(`${folder}/`)
  return path.startsWith(folder.slice(0, -1))
}

/** Circles of imports: each as the files along it, the first one again at its end. */
export function circles(imports) {
  const graph = new Map()
  for (const { from, to } of imports) graph.set(from, [...(graph.get(from) ?? []), to])
  const found = []
  const done = new Set()
  const visit = (file, path) => {
    const at = path.indexOf(file)
    if (at !== -1) found.push([...path.slice(at), file])
    if (at !== -1 || done.has(file)) return
    for (const to of graph.get(file) ?? []) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

/** Figures of a checkout. */
export function figures(root) {
  const files = sources(root, ['src'])
  const lengths = files
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1 }))
    .sort((a, b) => b.lines - a.lines)
  return {
    files: files.length,
    lines: lengths.reduce((sum, { lines }) => sum + lines, 0),
    root: files.filter((file) => dirname(file) === 'src').length,
    long: lengths.filter(({ lines }) => lines > 300),
    longest: lengths[0],
    circles: circles(importsOf(root)),
  }
}

export function print(root, write = (line) => process.stdout.write(`${line}\n`)) {
  const { files, lines, root: atRoot, long, longest, circles } = figures(root)
  write(`files of src                     ${files}`)
  write(`lines of src                     ${lines}`)
  write(`files in the root of src         ${atRoot}`)
  write(`files of more than 300 lines     ${long.length}`)
  for (const { file, lines } of long) write(`  ${String(lines).padStart(5)}  ${file}`)
  write(`longest file                     ${longest.file}, ${longest.lines} lines`)
  write(`circles, imports of types too    ${circles.length}`)
  for (const circle of circles) write(`  ${circle.join(' -> ')}`)
}

if (argv[1] === fileURLToPath(import.meta.url)) print(resolve(argv[2] ?? join(import.meta.dirname, '..')))
