/** Spares Node a facade for the default export: see `workers/transfer.ts`. */
export const __esModule = true

let done = 0

/** Task that does nothing, for a raw Piscina. Gives the number of tasks that this thread has done. */
export default function noop(): number {
  return ++done
}
