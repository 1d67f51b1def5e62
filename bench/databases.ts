import type { Bench } from './bench.js'
import { http } from './databases/http.js'
import { mongodb } from './databases/mongodb.js'
import { postgres } from './databases/postgres.js'
import { s3 } from './databases/s3.js'

export const databases: Bench = {
  name: 'databases',
  question: 'How fast are rows and objects stored and read, beside the drivers by hand?',
  run: async (settings) => [
    ...(await postgres(settings)),
    ...(await mongodb(settings)),
    ...(await s3(settings)),
    ...(await http(settings)),
  ],
}
