import type { Bench } from './bench.js'

/** Loaders of the benches by name, in the order in which the benches run. A bench is loaded only when it is chosen. */
export const BENCHES: { readonly [name: string]: () => Promise<Bench> } = {
  dispatch: async () => (await import('./dispatch.js')).dispatch,
  records: async () => (await import('./records.js')).records,
  stream: async () => (await import('./stream.js')).stream,
  files: async () => (await import('./files.js')).files,
  databases: async () => (await import('./databases.js')).databases,
  delivery: async () => (await import('./delivery.js')).delivery,
  cpu: async () => (await import('./cpu.js')).cpu,
  io: async () => (await import('./io.js')).io,
  schedule: async () => (await import('./schedule.js')).schedule,
  operate: async () => (await import('./operate.js')).operate,
  offload: async () => (await import('./offload.js')).offload,
  boundary: async () => (await import('./boundary.js')).boundary,
  startup: async () => (await import('./startup.js')).startup,
  peers: async () => (await import('./peers.js')).peers,
}
