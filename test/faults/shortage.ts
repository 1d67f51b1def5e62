/**
 * Takes all file descriptors of its process away at the worst moments, and prints what held. To be run where a process has
 * few: each step takes what there is.
 *
 *   sh -c 'ulimit -n 512; exec node dist/test/faults/shortage.js threads|main [descriptors that are left]'
 */
import { closeSync, openSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { setLogDestination, WorkerPlanner, type Link, type TransferReport } from '../../src/index.js'
import { expect } from './scenario.js'

const folder = mkdtempSync(path.join(tmpdir(), 'shortage-'))
const file = (name: string) => path.join(folder, name)
writeFileSync(file('in.csv'), 'a,b\n1,2\n3,4\n')
writeFileSync(file('in.txt'), 'one\ntwo\n')
const server = createServer((_, response) => response.end('[1, 2, 3]'))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
Object.assign(process.env, { FOLDER: folder, SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` })

/** Number of descriptors that the process is left with. */
const left = Number(process.argv[3] ?? 0)

/** Opens files until no more can be opened, but for the few that are left; gives a function that closes them. */
function takeAll(): () => void {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync(file('in.txt'), 'r'))
  } catch {
    // that was the last one
  }
  for (const descriptor of taken.splice(0, left)) closeSync(descriptor)
  return () => {
    for (const descriptor of taken) closeSync(descriptor)
  }
}

const lines: string[] = []
setLogDestination({ write: (line) => lines.push(line) })

const module = new URL('./shortage-links.js', import.meta.url)
const live = process.argv[2] === 'main'
const links = live ? Object.values((await import(module.href)) as Record<string, Link | Link[]>).flat() : module
const planner = new WorkerPlanner(links, { threads: 1, ignoreExceptions: true })

/** Problems of the reports of one transfer of each link, as `link: problem`. */
function problemsOf(reports: readonly TransferReport[]): string[] {
  return reports.flatMap(({ link, errors }) => errors.map(({ message }) => `${link}: ${message}`))
}

/** Makes a transfer of each link, and checks that all go well that can. */
async function transferAll(when: string): Promise<void> {
  writeFileSync(file('in.csv'), '5,6\n', { flag: 'a' })
  writeFileSync(file('in.txt'), 'more\n', { flag: 'a' })
  const reports = await planner.forceTransfer()
  const wrong = problemsOf(reports).filter((problem) => !problem.endsWith('an error of its own'))
  expect(wrong.length === 0, `${when}: ${wrong.join('; ')}`)
  const idle = reports.filter(({ outlets }) => outlets.every(({ pushed }) => pushed === 0)).length
  expect(idle === 1, `${when}: ${idle} of ${reports.length} links pushed nothing`)
}

const held: string[] = []
try {
  // a start that nothing can be opened for
  let free = takeAll()
  const refused = await planner.start().then(
    () => undefined,
    (error: unknown) => String(error),
  )
  free()
  if (!live && left === 0) expect(refused !== undefined, 'a start without descriptors is refused')
  if (planner.running) await planner.shutdown()
  let lost = 0
  planner.on('threadLost', () => lost++)
  await planner.start()
  held.push('started after a start that failed')

  // transfers of nodes that have loaded nothing but at their start
  free = takeAll()
  const during = problemsOf(await planner.forceTransfer())
  free()
  const foreign = during.filter((problem) => !/EMFILE|an error of its own/.test(problem))
  expect(foreign.length === 0, `a shortage is said to be one: ${foreign.join('; ')}`)
  const own = during.filter((problem) => problem.endsWith('an error of its own'))
  expect(own.length === 1, `an error of a node is its own, whether it can be logged or not: ${during.join('; ')}`)
  expect(
    lines.some((line) => line.includes('an error of its own')),
    'and it is logged',
  )
  await transferAll('after the shortage')
  await transferAll('and again')
  expect(lost === 0, `by the same thread: ${lost} were lost`)
  held.push('all links went on in their thread')

  if (!live) {
    // a thread that is lost, and cannot be replaced for a while
    writeFileSync(file('end'), '')
    free = takeAll()
    await planner.forceTransfer(planner.links.filter((link) => link.name === 'ending'))
    rmSync(file('end'))
    await wait(1500)
    free()
    expect(lost === 1, `one thread is lost: ${lost} are`)
    for (let looks = 0; planner.unstarted.length > 0 && looks < 100; looks++) await wait(100)
    await transferAll('after a loss')
    held.push('and after a loss during a shortage')
  }

  // a start of nodes whose code was loaded before, and files that cannot be opened
  await planner.shutdown()
  free = takeAll()
  await planner.start().catch(() => undefined)
  free()
  if (!planner.running) await planner.start()
  await transferAll('after another start')
  held.push('and after another start that failed')
  await planner.shutdown()
  console.log(`right: ${held.join(', ')}`)
} catch (error) {
  console.log(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await planner.shutdown().catch(() => undefined)
  server.close()
  rmSync(folder, { recursive: true })
}
