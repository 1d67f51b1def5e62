import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { serve } from './child.js'

/** Server for a bench. */
export interface BenchServer {
  readonly url: string
  readonly close: () => Promise<void>
}

// in the sources: it is not compiled
const BUILD = fileURLToPath(new URL('../../../test/mongo-server/build.js', import.meta.url))

/** Opens the MongoDB at `MONGODB_URL`, or starts the server of the tests; `undefined` when there is none. */
export async function openMongo(): Promise<BenchServer | undefined> {
  const given = process.env['MONGODB_URL']
  if (given !== undefined && given !== '') return { url: given, close: () => Promise.resolve() }
  const built = spawnSync(process.execPath, [BUILD], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  const file = built.stdout.trim()
  if (file === '') return undefined
  const { said: url, close } = await serve(file, [])
  return { url, close }
}
