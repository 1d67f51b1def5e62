/** Most records of one list of a source. */
export const LIST = 12

/** Lists of a stream. */
export const LISTS = 3

/** Lines of one transfer of the link `files`. */
export const LINES = 20

/** Records at which a buffer releases them. */
export const BUFFERED = 30

/**
 * Most records that a kill brings again to an outlet, by its journal: those of one pull, or of one release of a buffer, which
 * may be one short of its threshold when the next list comes.
 */
export const MOST_AGAIN: { readonly [journal: string]: number } = {
  numbers: BUFFERED + LIST,
  'numbers-moody': BUFFERED + LIST,
  files: LINES,
  stream: BUFFERED + LISTS * LIST,
}
