import { distance } from 'fastest-levenshtein'

/** Most letters in which a misspelt name differs from the known one: one in three, and no more than this. */
const MOST = 3

/** A name without what spellings differ in: `copy_records` and `copyRecords` are the same. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

/** The known name that a misspelt one was meant to be; `undefined` when none is near. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name)
  let best: string | undefined
  let least = Math.min(MOST, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const far = distance(wanted, plain(candidate))
    if (far >= least) continue
    best = candidate
    least = far
  }
  return best
}

/** The end of a message about a misspelt name: `: did you mean interval?`; `undefined` when no known name is near. */
export function hintAt(name: string, known: readonly string[]): string | undefined {
  const meant = suggest(name, known)
  return meant === undefined ? undefined : `did you mean ${meant}?`
}
