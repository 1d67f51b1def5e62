/** Programs that a bundler has put together, in a folder where this package is not installed. */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import t, { type Test } from 'tap'
import { node } from './helpers/programs.js'
import { userProject } from './helpers/user-project.js'

const root = resolve(import.meta.dirname, '..')

/** What databay loads at first use, and so is found beside the bundle. */
const LIBRARIES = ['pino', 'piscina', 'node-schedule', 'croner', 'csv-parse', 'lossless-json']
/** Optional drivers. */
const PEERS = ['mongodb', 'undici', 'libsql', '@opentelemetry/api']

const MAIN = (options: string) => `
import { setLogLevel, WorkerPlanner } from 'databay'
setLogLevel('info', 'databay.Link')
const planner = new WorkerPlanner(new URL('./links.js', import.meta.url), { threads: 1, transfers: 1, ${options} })
planner.on('transfer', ({ thread, pulled, outlets }) => console.log(JSON.stringify({ thread, pulled, outlets })))
await planner.start()
await planner.finished
`

const LINKS = `
import { getLogger, HttpInlet, Inlet, Link, NullOutlet } from 'databay'
class Numbers extends Inlet<number> {
  pull() {
    getLogger('databay.Link').info('is pulled')
    return [1, 2, 3]
  }
}
export const numbers = new Link({ inlets: new Numbers(), outlets: new NullOutlet(), interval: 1 })
export const unused = () => new HttpInlet('http://localhost')
`

/** Bundles a program and its link module, and gives the folder of the bundle: nothing of the project is left but libraries. */
async function bundled(
  t: Test,
  options: string,
  external: string[],
  entries: { readonly [name: string]: string } = {},
) {
  const project = userProject(
    t,
    [],
    [
      ['main.ts', MAIN(options)],
      ['links.ts', LINKS],
    ],
  )
  await build({
    absWorkingDir: project,
    entryPoints: { main: 'main.ts', links: 'links.ts', ...entries },
    outdir: 'bundle',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: [...PEERS, ...external],
    logLevel: 'error',
  })
  if (!external.includes('databay')) rmSync(join(project, 'node_modules/databay'))
  for (const name of ['main.ts', 'links.ts']) rmSync(join(project, name))
  return join(project, 'bundle')
}

t.test('the package is in the bundle, with its worker as an entry', async (t) => {
  const folder = await bundled(t, "workerUrl: new URL('./worker.js', import.meta.url)", [], {
    worker: 'databay/worker',
  })
  for (const name of LIBRARIES) symlinkLibrary(folder, name)
  const { code, stdout, stderr } = await node(folder, ['main.js'])
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { thread: 1, pulled: 3, outlets: [{ outlet: 'NullOutlet', pushed: 3 }] })
  t.match(JSON.parse(stderr), { name: 'databay.Link', thread: 1, msg: 'is pulled' }, 'one log, in the thread too')
})

t.test('without the URL of the worker it says what to do', async (t) => {
  const folder = await bundled(t, '', [])
  for (const name of LIBRARIES) symlinkLibrary(folder, name)
  const { code, stderr } = await node(folder, ['main.js'])
  t.equal(code, 1)
  t.match(stderr, /make 'databay\/worker' an entry of the bundle and give its URL as workerUrl/)
})

t.test('the package stays outside of the bundle', async (t) => {
  const folder = await bundled(t, '', ['databay'])
  const { code, stdout, stderr } = await node(folder, ['main.js'])
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { thread: 1, pulled: 3 })
})

function symlinkLibrary(folder: string, name: string): void {
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
}
