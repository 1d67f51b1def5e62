/** Projects of users of this package, as npm leaves them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Test } from 'tap'

const root = resolve(import.meta.dirname, '../..')

/**
 * Makes a folder outside of this package with files, where only this package and the named ones are found. Its modules are
 * ES modules, unless its files have a package.json.
 */
export function userProject(t: Test, packages: readonly string[], files: Iterable<readonly [string, string]>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'databay-user-')))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const link = (name: string, target: string) => {
    const at = join(folder, 'node_modules', name)
    mkdirSync(dirname(at), { recursive: true })
    symlinkSync(target, at)
  }
  link('databay', root)
  for (const name of packages) link(name, join(root, 'node_modules', name))
  for (const [name, text] of [['package.json', '{"type":"module"}'], ...files] as const) {
    writeFileSync(join(folder, name), text)
  }
  return folder
}
