import { readFileSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { importLater } from '../libraries.js'

/** Exports of a module, by their names. */
export type ModuleExports = { readonly [name: string]: unknown }

/** Imports a module by its URL. */
type ImportModule = (url: string) => Promise<ModuleExports>

/** What TypeScript files are named. */
const TYPESCRIPT = /\.[cm]?tsx?$/

/** What tsx adds to the names of the files that it loads. */
const NAMESPACE = 'databay'
/** Folder of the code of this package. */
const PACKAGE = fileURLToPath(new URL('../..', import.meta.url))

/** How this thread imports TypeScript; `undefined` until it had to look. */
let typescript: Promise<ImportModule | undefined> | undefined
/** Modules that only this way could import. */
const typed = new Set<string>()

/**
 * Imports a module. Where Node meets TypeScript that it does not load by itself, the user's own tsx imports the module, or
 * else the user's own jiti. Node remembers for good which files it could not load, so tsx has to give them names of its own
 * (a namespace).
 *
 * @throws what the module, or Node, throws; `ERR_UNKNOWN_FILE_EXTENSION` when neither tsx nor jiti is installed
 */
export async function importModule(url: string): Promise<ModuleExports> {
  const known = typed.has(url) ? await typescript : undefined
  if (known !== undefined) return known(url)
  try {
    return await importLater(() => import(url) as Promise<ModuleExports>)
  } catch (error) {
    if (!isUnknownTypeScript(error)) throw error
    typescript ??= findLoader(url)
    const load = await typescript
    if (load === undefined) {
      typescript = undefined // another module may lie beside one
      throw error
    }
    typed.add(url)
    return importLater(() => load(url))
  }
}

/** Whether an error of Node means that it met a TypeScript file which it does not load. */
export function isUnknownTypeScript(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_UNKNOWN_FILE_EXTENSION') return false
  return TYPESCRIPT.test(error.message.split(' for ').at(-1) ?? '')
}

/** Finds tsx or jiti: from the folder of the module, then from the working folder. */
async function findLoader(url: string): Promise<ImportModule | undefined> {
  const places = [url, pathToFileURL(path.resolve('package.json')).href]
  for (const make of [tsx, jiti]) {
    for (const place of places) {
      const found = await make(place)
      if (found !== undefined) return found
    }
  }
  return undefined
}

async function tsx(place: string): Promise<ImportModule | undefined> {
  const entry = entryOf(place, 'tsx', './esm/api')
  if (entry === undefined) return undefined
  const { register } = (await import(entry)) as {
    readonly register: (options: { readonly namespace: string }) => {
      import(url: string, parent: string): Promise<ModuleExports>
    }
  }
  const scoped = register({ namespace: NAMESPACE })
  shareWithTsx()
  await tsxForRequire(place)
  return (url) => scoped.import(url, url)
}

/** Has Node resolve what packages hold as without tsx: a second copy of this package would have a log of its own. */
function shareWithTsx(): void {
  const code = `export async function resolve(specifier, context, next) {
    const found = await next(specifier, context)
    const [file, query] = found.url.split('?', 2)
    const isOfPackage = file.startsWith(${JSON.stringify(pathToFileURL(PACKAGE).href)}) || file.includes('/node_modules/')
    const isShared = isOfPackage && query === 'tsx-namespace=${NAMESPACE}' && !${String(TYPESCRIPT)}.test(file)
    return isShared ? { ...found, url: file } : found
  }`
  // Node asks the last one of such hooks first
  Module.register(`data:text/javascript,${encodeURIComponent(code)}`)
}

/** Has tsx load also what a file requires: one that is CommonJS, as where package.json has no `"type": "module"`. */
async function tsxForRequire(place: string): Promise<void> {
  const entry = entryOf(place, 'tsx', './cjs/api')
  if (entry === undefined) return
  const { register } = (await import(entry)) as {
    readonly register: (options: { readonly namespace: string }) => unknown
  }
  register({ namespace: NAMESPACE })
  const resolving = Module as unknown as { _resolveFilename: (...args: readonly unknown[]) => string }
  const resolve = resolving._resolveFilename
  // what Node requires itself, it shares with the thread: a second copy of this package would have a log of its own
  resolving._resolveFilename = (...args) => {
    const file = resolve(...args)
    return file.startsWith(PACKAGE) || /[/\\]node_modules[/\\]/.test(file) ? file.replace(/\?.*/, '') : file
  }
}

async function jiti(place: string): Promise<ImportModule | undefined> {
  const entry = entryOf(place, 'jiti', '.')
  if (entry === undefined) return undefined
  const { createJiti } = (await import(entry)) as {
    readonly createJiti: (url: string, options: object) => { import(url: string): Promise<ModuleExports> }
  }
  // a second copy of this package would have a log and locks of its own
  return (url) => createJiti(url, { nativeModules: ['databay'], interopDefault: false }).import(url)
}

/** URL of what `import` gets of a package as seen from a place; `undefined` when it is not there. */
function entryOf(place: string, name: string, subpath: string): string | undefined {
  try {
    const manifest = createRequire(place).resolve(`${name}/package.json`)
    const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      readonly exports: { readonly [subpath: string]: { readonly import: string | { readonly default: string } } }
    }
    const target = exports[subpath]?.import
    const file = typeof target === 'object' ? target.default : target
    return file === undefined ? undefined : new URL(file, pathToFileURL(manifest)).href
  } catch {
    return undefined
  }
}
