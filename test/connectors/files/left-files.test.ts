/** New files that a thread or a process leaves when it is killed while it replaces a file round by round. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { CsvOutlet } from '../../../src/connectors/csv/csv-outlet.js'
import { FileOutlet } from '../../../src/connectors/files/file-outlet.js'
import { Link } from '../../../src/core/link.js'
import type { Outlet } from '../../../src/core/outlet.js'
import type { Record } from '../../../src/core/record.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred, FromInlet, turnOfTheLoop } from '../../helpers/nodes.js'
import { fixture, workerPlanner } from '../../helpers/threads.js'

const OLD = 'old\n'

const KINDS = [
  { id: 'file', file: 'a.txt', whole: '{"n":0}\n{"n":1}\n{"n":2}\n{"n":3}\n{"n":4}\n{"n":5}\n' },
  { id: 'csv', file: 'a.csv', whole: 'n\n0\n1\n2\n3\n4\n5\n' },
]

function module(folder: string, how?: string): URL {
  const url = fixture('replace-links.ts')
  url.searchParams.set('out', folder)
  if (how !== undefined) url.searchParams.set('how', how)
  return url
}

const left = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('.databay-'))

for (const { id, file, whole } of KINDS) {
  t.test(
    `${file} is the old one when its thread is killed in a round, and what was left goes with the next transfer`,
    async (t) => {
      captureLogs(t)
      const folder = t.testdir({ [file]: OLD })
      const planner = workerPlanner(t, module(folder, 'thread'), { threads: 1, ignoreExceptions: true })
      await planner.start()
      const links = planner.links.filter((link) => link.id === id)
      t.match(await planner.forceTransfer(links), [{ errors: [{ code: 'DATABAY_THREAD_LOST' }] }])
      t.equal(readFileSync(`${folder}/${file}`, 'utf8'), OLD)
      t.equal(left(folder).length, 1)
      t.match(await planner.forceTransfer(links), [{ failed: false, errors: [], rounds: 6 }])
      t.equal(readFileSync(`${folder}/${file}`, 'utf8'), whole)
      t.same(left(folder), [])
    },
  )
}

const index = JSON.stringify(pathToFileURL('dist/src/index.js').href)

/** A process that replaces a file by `out`, and hangs in its third round. */
async function startProcess(t: Test, folder: string) {
  writeFileSync(
    `${folder}/program.mjs`,
    `import { FileOutlet, Inlet, Link } from ${index}
    class Lists extends Inlet {
      async *pull() { for (const n of [0, 1]) yield [n]; console.log('waits'); await new Promise((end) => setTimeout(end, 60_000)) }
    }
    const outlets = new FileOutlet(${JSON.stringify(`${folder}/out`)}, { fileMode: 'w' })
    await new Link({ id: 'other', inlets: new Lists(), outlets, interval: 1 }).transfer()`,
  )
  const child = spawn(process.execPath, [`${folder}/program.mjs`], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

function linkTo(outlets: Outlet, give: () => unknown = () => [['x'], ['y']].values()): Link {
  return new Link({ interval: 1, inlets: new FromInlet(give), outlets } as never)
}

t.test('what a process writes is not removed by others, and is when it was killed', async (t) => {
  const logs = captureLogs(t)
  const folder = t.testdir({ out: OLD })
  const child = await startProcess(t, folder)
  t.match(await linkTo(new FileOutlet(`${folder}/beside`, { fileMode: 'w' })).transfer(), { failed: false, rounds: 2 })
  t.equal(left(folder).length, 1, 'that of the process')
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.equal(readFileSync(`${folder}/out`, 'utf8'), OLD)
  t.equal(left(folder).length, 1)
  const next = linkTo(new FileOutlet(`${folder}/out`, { fileMode: 'w' }))
  t.match(await next.transfer(), { failed: false, rounds: 2 })
  t.equal(readFileSync(`${folder}/out`, 'utf8'), 'x\ny\n')
  t.same(left(folder), [])
  t.ok(logs.messages().some((text) => /removed .*\.databay-/.test(text)))
})

t.test('two outlets replace one file at the same time: it is that of the last one, whole', async (t) => {
  const folder = t.testdir({ out: OLD })
  const gate = deferred()
  const slow = linkTo(new CsvOutlet(`${folder}/out`, { fileMode: 'w' }), async function* () {
    yield [{ n: 1 }]
    await gate.promise
    yield [{ n: 2 }]
  })
  const transfer = slow.transfer()
  while (left(folder).length === 0) await turnOfTheLoop()
  const quick = linkTo(new FileOutlet(`${folder}/out`, { fileMode: 'w' }))
  t.match(await quick.transfer(), { failed: false })
  t.equal(readFileSync(`${folder}/out`, 'utf8'), 'x\ny\n')
  gate.resolve()
  t.match(await transfer, { failed: false, outlets: [{ pushed: 2 }] })
  t.equal(readFileSync(`${folder}/out`, 'utf8'), 'n\n1\n2\n')
  t.same(left(folder), [])
})

t.test('a transfer that is told to stop in a push leaves nothing', async (t) => {
  captureLogs(t)
  const folder = t.testdir({ out: OLD })
  const pushes: Promise<void>[] = []
  class SlowOutlet extends FileOutlet {
    override async push(records: Record[], update: never): Promise<void> {
      if (records[0]?.payload === 'y') await turnOfTheLoop()
      const pushing = super.push(records, update)
      pushes.push(pushing)
      await pushing
    }
  }
  for (let tries = 0; tries < 30; tries++) {
    const link = linkTo(new SlowOutlet(`${folder}/out`, { fileMode: 'w' }))
    const transfer = link.transfer()
    for (let turn = 0; turn < tries; turn++) await turnOfTheLoop()
    link.cancel(new Error('enough'))
    await transfer
  }
  for (let turn = 0; turn < 100 || left(folder).length > 0; turn++) await turnOfTheLoop()
  // transfers that were stopped do not wait for what they have begun
  await Promise.allSettled(pushes)
  for (let turn = 0; turn < 100 || left(folder).length > 0; turn++) await turnOfTheLoop()
  t.same(left(folder), [])
  t.ok(existsSync(`${folder}/out`))
})
