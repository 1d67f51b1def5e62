/** Payload of a generator: a number, and a proof that follows from it, so that nothing else passes for it. */
export interface Issued {
  readonly link: string
  readonly number: number
  readonly proof: number
}

/** Number of records that a transfer pulls. */
export const PER_TRANSFER = 3

/** Makes the payload of a number: the same in every thread, at any time. */
export function issue(link: string, number: number): Issued {
  return { link, number, proof: proofOf(link, number) }
}

/** Whether a payload is one that a generator issues. */
export function isIssued({ link, number, proof }: Issued): boolean {
  return Number.isSafeInteger(number) && number >= 0 && proof === proofOf(link, number)
}

/** Hash by FNV-1a (32 bits), http://www.isthe.com/chongo/tech/comp/fnv/. */
function proofOf(link: string, number: number): number {
  let hash = 0x811c9dc5
  for (const character of `${link} ${number}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  return hash >>> 0
}
