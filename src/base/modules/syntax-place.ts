import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'

/** Place in a source file. */
export interface CodePlace {
  /** URL of the file. */
  readonly url: string
  readonly line: number
  readonly column: number
}

/** Most characters of a source line that are shown. */
const LONG_LINE = 160
/** Time that looking for a place may take, in milliseconds. */
const PATIENCE = 5000

/**
 * Parses a module and what it imports, without running any of it. Where a syntax error of an ES module is, Node keeps to
 * itself, until the error leaves a script.
 */
const PARSER = `
const { parentPort, workerData } = require('node:worker_threads')
const { runInThisContext, SourceTextModule, SyntheticModule } = require('node:vm')
const { readFileSync } = require('node:fs')
const modules = new Map()
const compile = (url) => new SourceTextModule(readFileSync(new URL(url), 'utf8'), { identifier: url })
const parse = (url) => {
  try {
    if (!modules.has(url)) modules.set(url, compile(url))
  } catch {
    globalThis.compileAgain = () => compile(url)
    try { runInThisContext('compileAgain()') } catch (error) { parentPort.postMessage(error) }
    modules.set(url, other())
  }
  return modules.get(url)
}
const isCode = (name) => /^(\\.|\\/|file:)/.test(name) && /\\.m?js$/.test(name)
const other = () => new SyntheticModule([], () => {})
const linker = (name, from) => (isCode(name) ? parse(new URL(name, from.identifier).href) : other())
parse(workerData).link(linker).catch(() => undefined)
`

/** Finds where the syntax error of a module is: in its stack or message, else by parsing the module again. */
export async function findPlace(error: Error, module: string): Promise<CodePlace | undefined> {
  return placeIn(error) ?? placeIn(await parsedAgain(error, module))
}

/** The lines of a source that show a place: the line itself, and a caret below; `''` when it cannot be read. */
export function sourceFrame({ url, line, column }: CodePlace): string {
  let source: string | undefined
  try {
    source = readFileSync(fileURLToPath(url), 'utf8').split(/\r?\n/)[line - 1]
  } catch {
    // the error itself is told all the same
  }
  if (source === undefined) return ''
  const start = Math.max(0, column - LONG_LINE / 2)
  const shown = source.slice(start, start + LONG_LINE).replaceAll('\t', ' ')
  return `    ${shown}\n    ${' '.repeat(Math.max(0, column - 1 - start))}^`
}

/** Place that an error shows: as Node does, above its stack, or as tsx and jiti do, in its message. */
function placeIn(error: Error | undefined): CodePlace | undefined {
  if (error === undefined) return undefined
  const above = placeAbove(error)
  if (above !== undefined) return above
  const told = /^ ?(\/.*?|[A-Za-z]:\\.*?|file:.*?):(\d+):(\d+)(?=:|$)/m.exec(error.message)
  return told === null ? undefined : placeAt(told, Number(told[3]) + (isOfLoader(error) ? 1 : 0))
}

/** Place that Node puts above the stack of a syntax error: the file, the source line and a caret. */
export function placeAbove({ stack = '' }: Error): CodePlace | undefined {
  const [first = '', ...rest] = stack.split('\n')
  const found = /^(\/.*|[A-Za-z]:\\.*|file:.*):(\d+)$/.exec(first)
  const caret = rest.find((line) => /^\s*\^+\s*$/.test(line))
  return found === null || caret === undefined ? undefined : placeAt(found, caret.indexOf('^') + 1)
}

/** Whether tsx or jiti made a syntax error. They count columns from 0. */
export function isOfLoader({ name, message }: Error): boolean {
  return name === 'TransformError' || message.startsWith('ParseError: ')
}

/**
 * Place in a file, without the query of its URL.
 *
 * @param found - what was found, the path or URL of the file, and the number of the line
 */
export function placeAt([, file = '', line]: readonly string[], column: number): CodePlace {
  const href = file.startsWith('file:') ? file : pathToFileURL(file).href
  return { url: href.replace(/\?.*/, ''), line: Number(line), column }
}

function parsedAgain(error: Error, module: string): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const execArgv = ['--experimental-vm-modules', '--no-warnings']
    const worker = new Worker(PARSER, { eval: true, workerData: module, execArgv, stdout: true, stderr: true })
    const timer = setTimeout(() => void worker.terminate(), PATIENCE)
    worker.on('message', (found: Error) => {
      if (found.message === error.message) resolve(found)
    })
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
}
