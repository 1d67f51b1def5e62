import { distance } from 'fastest-levenshtein'

/** Most letters in which a misspelt name differs from the known one: one in three, and no more than this. */
const MOST = 3

/** A name without what spellings differ in: `copy_records` and `copyRecords` are the same. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

/** Words of other programs, or of other parts of this one, for what goes by another name here: the first known one is meant. */
const SYNONYMS: ReadonlyMap<string, readonly string[]> = new Map([
  ['ssl', ['tls']],
  ['connectionstring', ['url']],
  ['connectionuri', ['url']],
  ['uri', ['url']],
  ['dsn', ['url']],
  ['schedule', ['interval', 'cron']],
  ['every', ['interval']],
  ['retries', ['retry']],
  ['cursorcolumn', ['cursorField']],
  ['cursorfield', ['cursorColumn']],
  ['ignore', ['drop']],
  ['skip', ['drop', 'ignore']],
  ['drop', ['ignore']],
  ['error', ['refuse']],
  ['throw', ['refuse', 'error']],
  ['refuse', ['error']],
  ['username', ['user']],
  ['dbname', ['database']],
])

/** The known name that a misspelt one was meant to be; `undefined` when none is near. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const wanted = plain(name)
  const same = SYNONYMS.get(wanted)?.find((synonym) => known.includes(synonym))
  if (same !== undefined) return same
  let best: string | undefined
  let least = Math.min(MOST, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const far = edits(wanted, plain(candidate))
    if (far >= least) continue
    best = candidate
    least = far
  }
  return best
}

/** Number of edits from one name to another. Two letters that changed places are one edit, once in a name. */
function edits(one: string, other: string): number {
  const swapped = Array.from({ length: Math.max(0, one.length - 1) }, (_, at) =>
    distance(one.slice(0, at) + one.charAt(at + 1) + one.charAt(at) + one.slice(at + 2), other),
  )
  return Math.min(distance(one, other), ...swapped.map((far) => far + 1))
}

/** The end of a message about a misspelt name: `: did you mean interval?`; `undefined` when no known name is near. */
export function hintAt(name: string, known: readonly string[]): string | undefined {
  const meant = suggest(name, known)
  return meant === undefined ? undefined : `did you mean ${meant}?`
}
