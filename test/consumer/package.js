/** What is in the tarball, and how large it is. */
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'

/** Bytes that the tarball may have. */
export const MOST = 680_000

const ALLOWED = /^package\/(package\.json|LICENSE|README\.md|CHANGELOG\.md|dist\/(src|workers)\/[\w/-]+(\.d\.ts|\.js))$/

export function checkTarball(tarball) {
  const { size } = statSync(tarball)
  if (size > MOST) throw new Error(`the tarball has ${size} bytes, at most ${MOST} are allowed`)
  const names = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n')
  const others = names.filter((name) => !ALLOWED.test(name) || /\.test\.|\/bench\//.test(name))
  if (others.length > 0) throw new Error(`not to be published: ${others.join(', ')}`)
  for (const name of ['CHANGELOG.md', 'README.md', 'LICENSE', 'dist/src/index.d.ts', 'dist/workers/transfer.js'])
    if (!names.includes(`package/${name}`)) throw new Error(`${name} is missing`)
  const text = execFileSync('tar', ['-xOzf', tarball], { encoding: 'utf8', maxBuffer: 64 << 20 })
  if (/^\/\/# sourceMappingURL/m.test(text)) throw new Error('a file names a source map, and none is published')
}
