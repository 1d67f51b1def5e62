import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LinkModuleError } from '../../base/errors.js'
import { isLink, type Link } from '../../core/link.js'
import type { LinkOverrides } from '../../core/link-overrides.js'
import { exportId, nameOf } from '../protocol/link-description.js'
import { importModule, type ModuleExports } from '../../base/modules/import-module.js'
import { noSuchFile, whyNotLoaded } from '../../base/modules/load-failure.js'

/** A link of a module, and where in the module it is. */
export interface ExportedLink {
  readonly exportName: string
  /** Position in the export when that is a list of links. */
  readonly index: number | undefined
  readonly link: Link
}

/**
 * Loads a module. What a CommonJS module exports, and what an object that is the default export has, counts as exported.
 *
 * @param as - what the module is for, before what is said of it in errors
 * @throws {@link LinkModuleError} when it is missing, does not parse, or throws
 */
export async function loadModule(url: string, as = ''): Promise<ModuleExports> {
  if (!existsSync(fileURLToPath(url))) throw new LinkModuleError(url, as + noSuchFile(url))
  try {
    return exportsOf(await importModule(url))
  } catch (cause) {
    throw new LinkModuleError(url, as + (await whyNotLoaded(cause, url)), { cause })
  }
}

/** Exports of a module under the names that its author gave them: Node puts all of a CommonJS module into its default. */
function exportsOf(module: ModuleExports): ModuleExports {
  const { 'module.exports': _whole, __esModule: _marked, ...exported } = module
  const { default: whole } = exported
  if (typeof whole !== 'object' || whole === null || Array.isArray(whole) || isLink(whole)) return exported
  const { default: inner, __esModule: _mark, ...named } = whole as ModuleExports
  const { default: _default, ...others } = exported
  if (Object.entries(others).some(([name, value]) => named[name] !== value)) return exported
  return inner === undefined ? { ...named } : { ...named, default: inner }
}

/**
 * Loads a module and gives the links that it exports, by themselves or in lists.
 *
 * @param overrides - settings that a configuration has for them
 * @throws {@link LinkModuleError} when it cannot be loaded, exports no link, or exports one twice
 * @throws {@link ConfigError} when a link cannot have the settings of the configuration
 */
export async function loadLinks(url: string, overrides?: LinkOverrides): Promise<ExportedLink[]> {
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
    link.nameAfterExport(exportId({ module: url, exportName, index }), overrides)
  }
  return exported
}

function linksOf(module: ModuleExports): ExportedLink[] {
  return Object.entries(module).flatMap(([exportName, value]): ExportedLink[] => {
    if (isLink(value)) return [{ exportName, index: undefined, link: value }]
    if (!Array.isArray(value)) return []
    return value.flatMap((link: unknown, index) => (isLink(link) ? [{ exportName, index, link }] : []))
  })
}
