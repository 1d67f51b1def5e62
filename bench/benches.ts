import type { Bench } from './bench.js'

/** The benches by their names, in the order in which they run. Each is loaded when it is chosen only. */
export const BENCHES: { readonly [name: string]: () => Promise<Bench> } = {
  dispatch: async () => (await import('./dispatch.js')).dispatch,
}
