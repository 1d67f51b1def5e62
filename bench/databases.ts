import type { Bench } from './bench.js'
import { mongodb } from './databases/mongodb.js'

export const databases: Bench = {
  name: 'databases',
  question: 'How fast are rows and objects stored, beside the drivers by hand?',
  run: async (settings) => [...(await mongodb(settings))],
}
