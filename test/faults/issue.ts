/** What a generator issues: a number, and what follows from it, so that nothing else passes for it. */
export interface Issued {
  readonly link: string
  readonly number: number
  readonly proof: number
}

/** How many records a transfer pulls. */
export const PER_TRANSFER = 3

/** The record of a number: the same in every thread, at any time. */
export function issue(link: string, number: number): Issued {
  return { link, number, proof: proofOf(link, number) }
}

/** Whether a record was ever issued. */
export function isIssued({ link, number, proof }: Issued): boolean {
  return Number.isSafeInteger(number) && number >= 0 && proof === proofOf(link, number)
}

/** A hash by FNV-1a (32 bits), http://www.isthe.com/chongo/tech/comp/fnv/. */
function proofOf(link: string, number: number): number {
  let hash = 0x811c9dc5
  for (const character of `${link} ${number}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  return hash >>> 0
}
