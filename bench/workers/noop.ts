/** A task that does nothing, for a raw Piscina. */
/** See `workers/transfer.ts`. */
export const __esModule = true

let done = 0

/** @returns how many were done in this thread */
export default function noop(): number {
  return ++done
}
