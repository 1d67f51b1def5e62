import { readdirSync } from 'node:fs'
import path from 'node:path'
import { hintAt } from './suggestion.js'

/** Extensions that stand for each other: a build turns the one into the other. */
const TWINS: readonly (readonly [string, string])[] = [
  ['.js', '.ts'],
  ['.mjs', '.mts'],
  ['.cjs', '.cts'],
  ['.js', '.tsx'],
  ['.js', '.mjs'],
]

/**
 * What to say of a code file that is missing: the one beside it that is most likely meant, of another extension or of a
 * similar name; `undefined` when there is none.
 *
 * @param isModule - whether the file is named by a URL of a link module, rather than by an import
 */
export function nearFile(file: string, isModule = false): string | undefined {
  const { dir, base, name, ext } = path.parse(file)
  let names: string[]
  try {
    names = readdirSync(dir)
  } catch {
    return `there is no folder ${dir}`
  }
  const twins = TWINS.flatMap(([a, b]) => (ext === a ? [b] : ext === b ? [a] : []))
  const twin = (ext === '' ? ['.js', '.ts', '.mjs', '.mts', '.cjs'] : twins).find((one) =>
    names.includes(`${name}${one}`),
  )
  if (twin !== undefined)
    return `there is ${name}${twin}, but no ${base}: ${isModule ? `name ./${name}${twin} in the URL` : twinAdvice(ext, twin)}`
  return hintAt(
    base,
    names.filter((one) => /\.[cm]?[jt]sx?$/.test(one)),
  )
}

function twinAdvice(ext: string, twin: string): string {
  if (twin.includes('t') && !ext.includes('t') && ext !== '') {
    return 'import it by that name, or compile it first; only tsx and jiti take the one for the other'
  }
  return 'import it by that name'
}
