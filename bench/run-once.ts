/**
 * Copies a file of JSON lines and a CSV file by `databay run … --once`, in a process of its own, checks that every row arrived
 * once and in order, and prints what it took. Memory and CPU time are read from `/proc`, so it needs Linux.
 *
 *   node dist/bench/run-once.js [MEGABYTES]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inFolder } from './folder.js'
import { machine } from './machine.js'
import { check } from './measure.js'
import { digestOf, makeFile, type FileKind } from './work/text-files.js'

const COMMAND = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))

const megabytes = Number(process.argv[2] ?? 1000)

await inFolder(async (folder) => {
  for (const kind of ['lines', 'csv'] as const) {
    const to = join(folder, 'copy')
    const row = await copy(kind, makeFile(join(folder, 'row'), kind, 50).path, to)
    await rm(to)
    const file = makeFile(join(folder, kind), kind, megabytes * 1e6)
    const { seconds, cpu, peak } = await copy(kind, file.path, to)
    const digest = await digestOf(to)
    check('digest of the copy', digest, await digestOf(file.path))
    await rm(to)
    await rm(file.path)
    const size = file.bytes / 1e6
    console.log(
      `${kind}: ${size.toFixed(0)} MB, ${file.rows.toLocaleString('en')} rows in ${seconds.toFixed(1)} s, ` +
        `${(size / seconds).toFixed(1)} MB/s; CPU ${cpu.toFixed(1)} s, ${((cpu * 1e6) / file.rows).toFixed(2)} us per row, ` +
        `${(size / cpu).toFixed(1)} MB per second of CPU; peak memory ${peak.toFixed(0)} MiB, ${(peak - row.peak).toFixed(0)} above that of copying one row; ` +
        `all rows once, in order: SHA-256 ${digest.slice(0, 16)} of both`,
    )
  }
})
const { cpu, cores, memoryGiB, load, node, commit } = machine()
console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, load ${load.toFixed(1)}, node ${node}, commit ${commit}`)

function copy(kind: FileKind, from: string, to: string) {
  const query = new URLSearchParams({ kind, from, to })
  return run(new URL(`./links/copying.js?${query.toString()}`, import.meta.url))
}

async function run(module: URL) {
  const from = performance.now()
  const args = [COMMAND, 'run', module.href, '--once', '--link', 'copy', '--threads', '1']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  let seen = { cpu: 0, peak: 0 }
  const look = setInterval(() => {
    seen = usageOf(child.pid ?? 0) ?? seen
  }, 20)
  const [code] = (await once(child, 'exit')) as [number | null]
  clearInterval(look)
  check('exit code', code, 0)
  return { seconds: (performance.now() - from) / 1000, ...seen }
}

/** CPU time of a process in seconds, and the most memory that it took so far, in MiB. */
function usageOf(pid: number) {
  try {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    // behind the name, which may hold anything
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    if (peak === undefined) return undefined
    // in hundredths of a second
    return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, peak: Number(peak) / 1024 }
  } catch {
    return undefined // it has ended
  }
}
