/** A position waits for buffers: what they hold when a process or a thread ends is read again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { captureLogs } from '../helpers/logs.js'
import { fixture, until, workerPlanner } from '../helpers/threads.js'

const index = `file://${resolve(import.meta.dirname, '../../dist/src/index.js')}`
const LINES = 200

const isSet = (value: string | undefined): value is string => value !== undefined && value !== ''

/** Payloads that were written, each a line. */
function written(out: string): string[] {
  return existsSync(out) ? readFileSync(out, 'utf8').split('\n').filter(isSet) : []
}

/** Position that is stored, in bytes. */
function storedIn(file: string): number {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { position: number }).position : 0
}

/** Numbers from 0 on, as lines of a file. */
function lines(count: number, header = ''): string {
  return header + Array.from({ length: count }, (_, line) => `${line}\n`).join('')
}

/** Starts a program that makes 20 transfers of 10 records into a buffer, and is then to be killed. */
async function run(t: Test, folder: string, inlet: string, where: string, transfers: number) {
  const program = `${folder}/program.mjs`
  writeFileSync(
    program,
    `import { Buffer, CsvInlet, FileInlet, FileOutlet, Link } from ${JSON.stringify(index)}
    const processors = [new Buffer({ countThreshold: 10_000 })]
    const link = new Link({
      inlets: new ${inlet}(${JSON.stringify(`${folder}/log`)}, {
        ${inlet === 'FileInlet' ? 'lines' : 'rows'}PerTransfer: 10, positionFile: ${JSON.stringify(`${folder}/position`)},
      }),
      outlets: new FileOutlet(${JSON.stringify(`${folder}/out`)}, { processors: ${where === 'outlet' ? 'processors' : '[]'} }),
      processors: ${where === 'link' ? 'processors' : '[]'},
      interval: 1,
    })
    await link.onStart()
    for (let n = 0; n < ${transfers}; n++) await link.transfer()
    if (${transfers} > 20) { await link.drain(); await link.onShutdown(); process.exit() }
    console.log('held', link.buffered)
    setInterval(() => {}, 1000)`,
  )
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

for (const inlet of ['FileInlet', 'CsvInlet']) {
  for (const where of ['link', 'outlet']) {
    t.test(`${inlet}: a process is killed whose buffer of the ${where} holds all`, async (t) => {
      const folder = t.testdir({ log: lines(LINES, inlet === 'CsvInlet' ? 'n\n' : '') })
      const first = await run(t, folder, inlet, where, 20)
      const [said] = (await once(first.stdout, 'data')) as [Buffer]
      t.equal(String(said), `held ${LINES}\n`)
      first.kill('SIGKILL')
      await once(first, 'exit')
      t.same(written(`${folder}/out`), [])
      t.equal(storedIn(`${folder}/position`), 0)
      const second = await run(t, folder, inlet, where, 21)
      await once(second, 'exit')
      const numbers = written(`${folder}/out`).map((text) => text.replace(/\D/g, ''))
      t.same(numbers, lines(LINES).split('\n').filter(isSet), 'each once, in order')
      t.equal(storedIn(`${folder}/position`), readFileSync(`${folder}/log`).length)
    })
  }
}

/** Makes the URL of a module of a link that reads lines into a buffer. */
function moduleOf(folder: string, more: Record<string, string> = {}): URL {
  const module = fixture('buffered-lines.ts')
  for (const [name, value] of Object.entries({ folder, ...more })) module.searchParams.set(name, value)
  return module
}

for (const where of ['link', 'outlet']) {
  t.test(
    `a link with a buffer of the ${where} moves to another thread: no line is lost, and none comes twice`,
    async (t) => {
      const logs = captureLogs(t)
      const folder = t.testdir({ log: lines(10) })
      const planner = workerPlanner(t, moduleOf(folder, { where, threshold: '8' }), { threads: 1 })
      await planner.start()
      const [position, out] = [`${folder}/position`, `${folder}/out`]
      for (let transfer = 0; transfer < 3; transfer++) await planner.forceTransfer()
      await planner.recycle()
      t.equal(storedIn(position), 0, 'the buffer moved along, but nothing of it was delivered')
      await planner.recycle()
      t.same(written(out), [])
      await planner.forceTransfer()
      t.same(written(out), ['0', '1', '2', '3', '4', '5', '6', '7'])
      await planner.forceTransfer()
      await planner.recycle()
      t.equal(storedIn(position), 16)
      await planner.shutdown()
      t.same(
        written(out).map(Number),
        Array.from({ length: 10 }, (_, line) => line),
      )
      t.equal(storedIn(position), 20)
      t.notMatch(logs.messages().join('\n'), /not delivered|dropped/)
    },
  )
}

t.test('what a link that moved held is read again when its outlet refuses it after all', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({ log: lines(4), refuse: '' })
  const planner = workerPlanner(t, moduleOf(folder, { where: 'link', threshold: '4', refuse: `${folder}/refuse` }), {
    threads: 1,
    ignoreExceptions: true,
  })
  await planner.start()
  await planner.forceTransfer()
  await planner.recycle()
  await planner.forceTransfer()
  t.same(written(`${folder}/out`), [])
  await planner.recycle()
  writeFileSync(`${folder}/refuse`, 'no more')
  for (let transfer = 0; transfer < 3; transfer++) await planner.forceTransfer()
  t.same(written(`${folder}/out`), ['0', '1', '2', '3'])
  await planner.shutdown()
  t.equal(storedIn(`${folder}/position`), 8)
})

t.test('a thread is lost whose buffer holds lines: they are read again', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({ log: lines(10) })
  const planner = workerPlanner(t, moduleOf(folder, { where: 'outlet', threshold: '10', crash: `${folder}/crash` }), {
    threads: 1,
    ignoreExceptions: true,
  })
  await planner.start()
  for (let transfer = 0; transfer < 2; transfer++) await planner.forceTransfer()
  writeFileSync(`${folder}/crash`, 'once')
  await planner.forceTransfer().catch(() => undefined)
  await until(() => existsSync(`${folder}/crash.done`))
  for (let transfer = 0; transfer < 6; transfer++) await planner.forceTransfer()
  await planner.shutdown()
  t.same(
    written(`${folder}/out`).map(Number),
    Array.from({ length: 10 }, (_, line) => line),
  )
})
