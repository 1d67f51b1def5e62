import { NUMBER } from './types.js'

/*
 * The guard against formulas: a spreadsheet runs a cell that starts with certain characters, and an apostrophe in front
 * keeps it from that. An outlet puts it there, and an inlet takes it off again: a text that has apostrophes before such a
 * character gets one more, so that each text comes back as it was.
 */

/** Start of a text that a spreadsheet takes for a formula, also with the full-width signs of East Asian texts. */
const FORMULA = /^'*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/

const GUARDED = /^'+[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/

/** Text with an apostrophe in front where a spreadsheet would run it. */
export function withGuard(text: string): string {
  // no spreadsheet runs a number
  return FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text
}

/** Text as it was before {@link withGuard}. */
export function withoutGuard(text: string): string {
  // most texts end here
  return text.startsWith("'") && GUARDED.test(text) ? text.slice(1) : text
}
