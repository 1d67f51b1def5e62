import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LinkModuleError, show } from '../../base/errors.js'
import { importLater } from '../../base/libraries.js'
import { isLink, type Link } from '../../core/link.js'
import { exportId, nameOf } from '../protocol/link-description.js'

/** A link of a module, and where in the module it is. */
export interface ExportedLink {
  readonly exportName: string
  /** Position in the export when that is a list of links. */
  readonly index: number | undefined
  readonly link: Link
}

/**
 * Loads a module.
 *
 * @throws {@link LinkModuleError} when it is missing, does not parse, or throws
 */
export async function loadModule(url: string): Promise<{ readonly [name: string]: unknown }> {
  const path = fileURLToPath(url)
  if (!existsSync(path)) throw new LinkModuleError(url, 'there is no such file')
  try {
    return await importLater<{ readonly [name: string]: unknown }>(() => import(url))
  } catch (cause) {
    throw new LinkModuleError(url, whyNotLoaded(cause, url), { cause })
  }
}

function whyNotLoaded(error: unknown, url: string): string {
  if (error instanceof SyntaxError) return `does not parse: ${error.message}${placeOf(error)}`
  if (!(error instanceof Error)) return `threw ${show(error)} while it was loaded`
  if ('code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return `cannot be loaded as it is: compile it to JavaScript, or run node with a loader, as in 'node --import tsx', or Node 22.18 or newer (${error.message})`
  }
  if (/\bCannot require\(\) ES Module \S*[/\\]src[/\\]index\.[jt]s\b/.test(error.message)) {
    // Node 20 and 22 cannot while the thread imports it, too
    return "failed to load: it requires databay, which is an ES module: write it as one, with 'import' and 'export'"
  }
  return `failed to load: ${error.message}${lineIn(url, error)}`
}

/** Line of the module in which an error was made, as far as its stack shows, as text. */
function lineIn(url: string, { stack = '' }: Error): string {
  const frame = stack.split('\n').find((line) => /^ +at /.test(line) && line.includes(`${url}:`))
  const line = frame === undefined ? undefined : /^\d+/.exec(frame.slice(frame.indexOf(`${url}:`) + url.length + 1))
  return line ? ` (line ${line[0]})` : ''
}

/** Place of a syntax error as text: the first line of its stack. It may be in a module that this one imports. */
function placeOf({ stack = '' }: SyntaxError): string {
  const [first = ''] = stack.split('\n')
  return /:\d+$/.test(first) ? ` (${first})` : ''
}

/**
 * Loads a module and gives the links that it exports, by themselves or in lists.
 *
 * @throws {@link LinkModuleError} when it cannot be loaded, exports no link, or exports one twice
 */
export async function loadLinks(url: string): Promise<ExportedLink[]> {
  const exported = linksOf(await loadModule(url))
  if (exported.length === 0) {
    throw new LinkModuleError(url, "exports no link: expected one as in 'export const link = new Link({ \u2026 })'")
  }
  const names = new Map<Link, string>()
  for (const one of exported) {
    const { link, exportName, index } = one
    const name = nameOf(one)
    const other = names.get(link)
    if (other !== undefined) {
      throw new LinkModuleError(url, `exports the same link twice, as ${other} and as ${name}: export it once`)
    }
    names.set(link, name)
    link.nameAfterExport(exportId({ module: url, exportName, index }))
  }
  return exported
}

function linksOf(module: { readonly [name: string]: unknown }): ExportedLink[] {
  return Object.entries(module).flatMap(([exportName, value]): ExportedLink[] => {
    if (isLink(value)) return [{ exportName, index: undefined, link: value }]
    if (!Array.isArray(value)) return []
    return value.flatMap((link: unknown, index) => (isLink(link) ? [{ exportName, index, link }] : []))
  })
}
