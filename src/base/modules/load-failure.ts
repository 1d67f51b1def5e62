import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { EnvironmentError, show } from '../errors.js'
import { nearFile } from '../near-file.js'
import { isUnknownTypeScript } from './import-module.js'
import { findPlace, isOfLoader, sourceFrame, type CodePlace } from './syntax-place.js'
import { isThrownByCode, thrownPlace } from './thrown-place.js'

/** What to do about TypeScript that Node does not load by itself. */
const WAYS = 'npm install --save-dev tsx (or jiti), or run Node 22.18 or newer, or compile it to JavaScript'

/** Text of why a module could not be loaded, and what to do. A syntax error has its source line in lines of their own. */
export async function whyNotLoaded(error: unknown, url: string): Promise<string> {
  if (!(error instanceof Error)) return `threw ${show(error)} while it was loaded`
  const code = 'code' in error ? error.code : undefined
  if (isUnknownTypeScript(error)) {
    return `cannot be loaded as it is: Node ${process.versions.node} loads no TypeScript by itself: ${WAYS} (${error.message})`
  }
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return `cannot be loaded as it is: modules are .js, .mjs, .cjs or TypeScript (${error.message})`
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return withHint(`failed to load: ${firstLine(error)}`, missingFile(error))
  }
  if (isOfSyntax(error)) return doesNotParse(error, url)
  if (/\bCannot require\(\) ES Module \S*[/\\]src[/\\]index\.[jt]s\b/.test(error.message)) {
    // Node 20 and 22 cannot while the thread imports it, too
    return "failed to load: it requires databay, which is an ES module: write it as one, with 'import' and 'export'"
  }
  // that of a variable says which place asked for it
  const place = error instanceof EnvironmentError ? '' : atPlace(thrownPlace(error))
  return `failed to load: ${error.message}${place}`
}

/** Names a file that is missing, with the one that is most likely meant. */
export function noSuchFile(url: string): string {
  const hint = nearFile(fileURLToPath(url), true)
  return hint === undefined ? 'there is no such file' : `there is no such file: ${hint}`
}

/** Syntax errors of Node, and those of tsx and of jiti. */
function isOfSyntax(error: Error): boolean {
  return isOfLoader(error) || (error instanceof SyntaxError && !isThrownByCode(error))
}

async function doesNotParse(error: Error, url: string): Promise<string> {
  const place = await findPlace(error, url)
  const frame = place === undefined ? '' : sourceFrame(place)
  const why = `does not parse: ${messageOf(error)}${atPlace(place)}${wayOut(error, place?.url ?? url)}`
  return frame === '' ? why : `${why}\n\n${frame}`
}

/** What is wrong, without the place that tsx and jiti put there too. */
function messageOf({ message }: Error): string {
  const ofEsbuild = /: ERROR: (.*)/.exec(message)?.[1]
  const [first = ''] = message.replace(/^ParseError: /, '').split('\n')
  return (ofEsbuild ?? first).trim()
}

/** What to do about a syntax error that comes from the kind of file. */
function wayOut(error: Error, url: string): string {
  if ('code' in error && error.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return ": Node only strips types: write it without enums, namespaces and parameter properties, or run it with NODE_OPTIONS='--import tsx'"
  }
  const isModuleSyntax =
    /^(Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta' outside a module)/
  if (!isModuleSyntax.test(error.message)) return ''
  const file = fileURLToPath(url)
  const { base, name, ext } = path.parse(file)
  const mjs = `${name}${ext.replace(/c?([jt]s)$/, 'm$1')}`
  if (ext.startsWith('.c')) return `: ${base} is CommonJS by its name: name it ${mjs}`
  const manifest = manifestOf(file) ?? 'a package.json'
  return `: ${base} is CommonJS here: name it ${mjs}, or set "type": "module" in ${manifest}`
}

/** Path of the package.json that says what kind a file is. */
function manifestOf(file: string): string | undefined {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json')
    if (existsSync(manifest)) return manifest
    if (folder === path.dirname(folder)) return undefined
  }
}

/** A message about a file that is missing, and what lies in its place. */
function withHint(message: string, file: string | undefined): string {
  const hint = file === undefined ? undefined : nearFile(file)
  return hint === undefined ? message : `${message}: ${hint}`
}

function missingFile(error: Error & { readonly url?: unknown }): string | undefined {
  if (typeof error.url === 'string') return fileURLToPath(error.url.replace(/\?.*/, ''))
  const [, name = '', from] = /Cannot find module '([^']+)'(?: imported from '?(.+?)'?$)?/m.exec(error.message) ?? []
  const parent = from ?? /^- (.+)$/m.exec(error.message)?.[1]
  if (name.startsWith('file:')) return fileURLToPath(name.replace(/\?.*/, ''))
  if (path.isAbsolute(name)) return name
  if (!name.startsWith('.') || parent === undefined) return undefined
  return path.resolve(path.dirname(parent.startsWith('file:') ? fileURLToPath(parent) : parent), name)
}

function firstLine({ message }: Error): string {
  return message.split('\n')[0] ?? ''
}

/** A place as terminals and editors open it, for the end of a message. */
function atPlace(place: CodePlace | undefined): string {
  return place === undefined ? '' : ` (${place.url}:${place.line}:${place.column})`
}
