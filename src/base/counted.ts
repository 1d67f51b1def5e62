/** A number and its noun: `1 link`, `2 links`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The form of a verb that fits a number: `is` for 1, `are` for 2. */
export function isOrAre(count: number): string {
  return count === 1 ? 'is' : 'are'
}
