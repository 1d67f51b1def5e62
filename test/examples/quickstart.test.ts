import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { FeedServer } from '../../examples/quickstart/feed-server.js'
import type { FeatureCollection } from '../../examples/quickstart/feed.js'
import { PARTS } from '../../examples/quickstart/parts.js'
import { Replay } from '../../examples/quickstart/replay.js'
import { feature } from './features.js'

// `npm test` builds first
const root = fileURLToPath(new URL('../../', import.meta.url))
const main = path.join(root, 'dist/examples/quickstart/main.js')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the example; light work and quick polls, unless told otherwise. */
function quickstart(...argv: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const all = [main, '--work=0.05', '--interval=0.05', '--threads=2', ...argv]
    const child = execFile(process.execPath, all, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr })
    })
  })
}

/** Reads the lines after the header of each CSV file of a folder. */
async function readFiles(folder: string): Promise<Map<string, string[]>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.csv'))
  const lines = async (name: string) => (await readFile(path.join(folder, name), 'utf8')).trimEnd().split('\n').slice(1)
  return new Map(await Promise.all(names.map(async (name) => [name, await lines(name)] as const)))
}

/** Events of the recorded feed, read without the example's own code, that the files should have. */
function accepted(): string[] {
  const file = path.join(root, 'examples/quickstart/data/earthquakes.json.gz')
  const { features } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as FeatureCollection
  return features
    .filter(({ properties: { type, mag } }) => type === 'earthquake' && mag !== null && mag >= 0)
    .map(({ id }) => id)
}

t.test('in threads, each accepted event of the feed is written exactly once', async (t) => {
  const out = path.join(t.testdir(), 'output')
  const { code, stdout, stderr } = await quickstart(`--out=${out}`)
  t.equal(code, 0, stderr)
  t.match(stdout, /Verified: each accepted event of the feed is in the file of its region, exactly once\./)
  t.match(stdout, /accepted +1635/)
  t.match(stdout, /not accepted +72 +not an earthquake 28, negative magnitude 44/)

  const files = await readFiles(out)
  const ids = [...files.values()].flat().map((line) => line.slice(0, line.indexOf(',')))
  t.same(ids.sort(), accepted().sort())
  t.equal(files.get('puerto-rico.csv')?.length, 47)
  t.ok(files.get('puerto-rico.csv')?.every((line) => line.includes('Puerto Rico')))
})

t.test('a second run replaces the files, and the main thread writes the same as the threads', async (t) => {
  const out = path.join(t.testdir(), 'output')
  const runs: Map<string, string[]>[] = []
  for (const planner of ['worker', 'schedule']) {
    const { code, stderr } = await quickstart(`--out=${out}`, `--planner=${planner}`)
    t.equal(code, 0, stderr)
    runs.push(await readFiles(out))
  }
  t.same(runs[0], runs[1])
})

t.test('with --seconds it stops early, and with --json it prints one line', async (t) => {
  const { code, stdout, stderr } = await quickstart(
    ...[`--out=${t.testdir()}`, '--seconds=1', '--interval=0.3', '--json'],
  )
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), {
    ending: 'the time is over',
    problems: [],
    delay: { p50: Number, p99: Number, max: Number },
  })
})

async function serve(t: Test, polls: number): Promise<{ server: FeedServer; url: string }> {
  const features = Array.from({ length: 20 }, (_, i) => feature(`ci${i}`, { time: i * 1000 }))
  const server = new FeedServer(new Replay(features, { polls, window: 10_000 }), PARTS)
  const url = await server.start()
  t.teardown(() => server.close())
  return { server, url }
}

t.test('a live feed is polled until the process is told to stop', async (t) => {
  const { server, url } = await serve(t, 4)
  const out = t.testdir()
  const child = spawn(process.execPath, [main, `--url=${url}`, '--interval=0.1', '--work=0.01', `--out=${out}`])
  const output: string[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()))
  await server.exhausted
  child.kill('SIGINT')
  const [code] = (await once(child, 'exit')) as [number | null]
  t.equal(code, 0)
  t.match(output.join(''), /Verified: each event that was written is in the files exactly once\./)
  t.equal((await readFiles(out)).get('california.csv')?.length, 20)
})

t.test('a feed that cannot be reached fails the run', async (t) => {
  const { server, url } = await serve(t, 4)
  await server.close()
  const { code, stderr } = await quickstart(`--url=${url}`, `--out=${t.testdir()}`)
  t.equal(code, 1)
  t.match(stderr, /Failed: transfer quakes\..* failed/)
})

t.test('a folder of other files is left alone', async (t) => {
  const out = t.testdir({ 'mine.csv': 'precious' })
  const { code, stderr } = await quickstart(`--out=${out}`)
  t.equal(code, 1)
  t.match(stderr, /Failed: --out: expected a new or empty folder/)
  t.equal(await readFile(path.join(out, 'mine.csv'), 'utf8'), 'precious')
})

t.test('bad arguments end with code 2 and the usage', async (t) => {
  const { code, stderr } = await quickstart('--planner=none')
  t.equal(code, 2)
  t.match(stderr, /--planner: expected worker or schedule[^]*Usage: npm start/)
  t.equal((await quickstart('--help')).code, 0)
})
