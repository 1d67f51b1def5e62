/**
 * Names of the parts of the feed, one for each link, so that several threads can work on it. A part is a set of files: each
 * event belongs to exactly one link, and each file has exactly one writer.
 */
export const PARTS = ['california', 'pacific', 'west', 'world'] as const
export type Part = (typeof PARTS)[number]

/** Files of each part. All other files belong to the part `world`. */
const FILES: { readonly [P in Part]: readonly string[] } = {
  california: ['california.csv'],
  pacific: ['alaska.csv', 'canada.csv', 'gulf-of-alaska.csv', 'hawaii.csv'],
  west: [
    ...['arizona.csv', 'colorado.csv', 'idaho.csv', 'montana.csv', 'nevada.csv'],
    ...['oregon.csv', 'utah.csv', 'washington.csv', 'wyoming.csv'],
  ],
  world: [],
}

/** Finds the part that the events of a file belong to. */
export function partOf(file: string): Part {
  return PARTS.find((part) => FILES[part].includes(file)) ?? 'world'
}
