import { createRequire } from 'node:module'
import path from 'node:path'

/** This package: the folder that it is in, and its version. */
export function installed(): { readonly root: string; readonly version: string } {
  const require = createRequire(import.meta.url)
  // by the package's own name, so that it is found from the sources and from the build
  const manifest = 'databay/package.json'
  return { root: path.dirname(require.resolve(manifest)), version: (require(manifest) as { version: string }).version }
}
