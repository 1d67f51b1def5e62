import { hintAt } from '../base/suggestion.js'

/** What a pattern looks at of a link. */
export interface Matchable {
  readonly id?: string | undefined
  readonly tags: readonly string[]
}

/** Number of known names that an error shows. */
const SHOWN = 10

/** What a pattern begins with that is about tags. */
const TAG = 'tag:'

/** What a pattern of links has to be, for errors. */
export const LINK_PATTERN = "the id of links, or 'tag:' and a tag"

/** Whether a text can be a pattern of links. */
export function isLinkPattern(pattern: unknown): pattern is string {
  if (typeof pattern !== 'string') return false
  const name = pattern.startsWith(TAG) ? pattern.slice(TAG.length) : pattern
  return name !== '' && name === name.trim()
}

/** Whether a link fits a pattern: its id, or `tag:` and one of its tags, where a `*` stands for any characters. */
export function linkMatcher(pattern: string): (link: Matchable) => boolean {
  if (pattern.startsWith(TAG)) {
    const fits = fitter(pattern.slice(TAG.length))
    return ({ tags }) => tags.some(fits)
  }
  const fits = fitter(pattern)
  return ({ id }) => id !== undefined && fits(id)
}

function fitter(pattern: string): (name: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return (name) => name === pattern
  // no regular expression: one with many stars can take for ever
  return (name) => {
    if (!name.startsWith(first)) return false
    let at = first.length
    for (const part of rest) {
      const found = name.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return name.length >= at + last.length && name.endsWith(last)
  }
}

/** Says of a pattern that no link fits what was expected, and what was probably meant. */
export function noLinkFits(pattern: string, links: readonly Matchable[]): string {
  const ids = new Set(links.flatMap(({ id }) => id ?? []))
  const tags = new Set(links.flatMap((link) => link.tags.map((tag) => `${TAG}${tag}`)))
  const known = [...(pattern.startsWith(TAG) ? tags : ids)]
  const names = known.length === 0 ? 'there is none' : `there are ${shown(known)}`
  const what = pattern.startsWith(TAG) ? 'the tag of a link' : 'the id of a link'
  const hint = tags.has(`${TAG}${pattern}`)
    ? `did you mean ${TAG}${pattern}?`
    : (hintAt(
        pattern,
        [...ids, ...tags].map((name) => asPattern(name, pattern)),
      ) ?? '')
  const end = hint === '' ? '' : `: ${hint}`
  return `expected ${what}, no link fits it (${names})${end}`
}

function shown(names: readonly string[]): string {
  const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : ''
  return `${names.slice(0, SHOWN).join(', ')}${more}`
}

/** A name with a `*` where a pattern has its first: `orders_*` of `orders_eu` for `ordres_*`. */
function asPattern(name: string, pattern: string): string {
  const at = pattern.indexOf('*')
  return at === -1 ? name : `${name.slice(0, at)}${pattern.slice(at)}`
}
