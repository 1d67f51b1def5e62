import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { installed } from '../installed.js'

/**
 * Range or address under which a new project depends on this package: a range of versions when npm has installed it from a
 * registry, otherwise the clone, tarball or repository that it comes from.
 */
export function dependencyOn({ root, version }: ReturnType<typeof installed>): string {
  const modules = path.dirname(root)
  const files = fileUrl(root)
  if (path.basename(modules) !== 'node_modules') return files
  const resolved = resolvedByNpm(modules)
  if (resolved === undefined) return files
  if (new RegExp(`^https?://[^?#]*/databay/-/databay-${version.replaceAll('.', '\\.')}\\.tgz`).test(resolved)) {
    return `^${version}`
  }
  if (!resolved.startsWith('file:')) return resolved
  const tarball = path.resolve(path.dirname(modules), resolved.slice('file:'.length))
  return existsSync(tarball) ? fileUrl(tarball) : files
}

/** From where npm has installed this package, as its own note in `node_modules` says. */
function resolvedByNpm(modules: string): string | undefined {
  try {
    const lock = JSON.parse(readFileSync(path.join(modules, '.package-lock.json'), 'utf8')) as {
      readonly packages?: { readonly [place: string]: { readonly resolved?: unknown } | undefined }
    }
    const resolved = lock.packages?.['node_modules/databay']?.resolved
    return typeof resolved === 'string' ? resolved : undefined
  } catch {
    return undefined // not installed by npm
  }
}

function fileUrl(file: string): string {
  return `file:${file.replaceAll(path.sep, '/')}`
}
