/** A position file belongs to one inlet, whatever thread or process it is in. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { CsvInlet } from '../../../src/connectors/csv/csv-inlet.js'
import { FileInlet } from '../../../src/connectors/files/file-inlet.js'
import { Link } from '../../../src/core/link.js'
import { captureLogs } from '../../helpers/logs.js'
import { KeepOutlet } from '../../helpers/nodes.js'
import { workerPlanner } from '../../helpers/threads.js'

const index = `file://${resolve(import.meta.dirname, '../../../dist/src/index.js')}`

function linkOf(id: string, inlets: FileInlet | CsvInlet): Link {
  return new Link<unknown>({ id, inlets, outlets: new KeepOutlet(), interval: 1 })
}

/** Makes a folder with a log, and the name of a position file that is called by a link to its folder, too. */
function filesOf(t: Test) {
  const folder = t.testdir({ log: 'a\n1\n', real: {}, link: t.fixture('symlink', 'real') })
  return { folder, log: `${folder}/log`, position: `${folder}/real/position`, samePosition: `${folder}/link/position` }
}

t.test('a second inlet does not start, and its error names both links', async (t) => {
  const { log, position, samePosition } = filesOf(t)
  const first = linkOf('first', new FileInlet(log, { positionFile: position }))
  const second = linkOf('second', new CsvInlet(log, { positionFile: samePosition }))
  await first.onStart()
  await t.rejects(second.onStart(), {
    code: 'DATABAY_FILE',
    path: samePosition,
    message:
      `CsvInlet: cannot start link second: cannot use the positionFile ${samePosition}: it is in use by link first, ` +
      `FileInlet(${log}), in process ${process.pid}: each inlet needs one of its own`,
  })
  await first.onShutdown()
  rmSync(position)
  await second.onStart()
  await second.onShutdown()
})

t.test('an inlet that two links share, or that failed to start, holds nobody up', async (t) => {
  captureLogs(t, 'silent')
  const { folder, log, position } = filesOf(t)
  const shared = new FileInlet(log, { positionFile: position })
  const links = [linkOf('first', shared), linkOf('second', shared)]
  for (const link of links) await link.onStart()
  for (const link of links) await link.onShutdown()
  await t.rejects(new FileInlet(`${folder}/none`, { positionFile: position }).onStart(), /ENOENT/)
  await shared.onStart()
  await shared.onShutdown()
})

t.test('links in different threads, and the replicas of a stateless link, are refused', async (t) => {
  captureLogs(t, 'silent')
  const { log, position, samePosition } = filesOf(t)
  const moduleOf = (positions: readonly string[], others: Record<string, string> = {}) => {
    const module = new URL('../../fixtures/one-position.ts', import.meta.url)
    for (const [name, value] of [['log', log], ...Object.entries(others)]) module.searchParams.set(name!, value!)
    for (const one of positions) module.searchParams.append('position', one)
    return module
  }
  const two = workerPlanner(t, moduleOf([position, samePosition]), { threads: 2 })
  await t.rejects(two.start(), /start link reader(\d).*in use by link reader(?!\1)\d/)
  const replicas = workerPlanner(t, moduleOf([position], { stateless: 'yes' }), { threads: 2 })
  await t.rejects(replicas.start(), /start link reader0.*in use by link reader0/)
  const apart = workerPlanner(t, moduleOf([position, `${position}.2`]), { threads: 2 })
  await apart.start()
  await apart.shutdown()
})

t.test('an inlet of another process has it until that ends, also when it is killed', async (t) => {
  const { folder, log, position } = filesOf(t)
  writeFileSync(
    `${folder}/program.mjs`,
    `import { FileInlet, Link, NullOutlet } from ${JSON.stringify(index)}
    const inlets = new FileInlet(${JSON.stringify(log)}, { positionFile: ${JSON.stringify(position)} })
    await new Link({ id: 'other', inlets, outlets: new NullOutlet(), interval: 1 }).onStart()
    console.log('started')
    setInterval(() => {}, 1000)`,
  )
  const child = spawn(process.execPath, [`${folder}/program.mjs`], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const mine = linkOf('mine', new FileInlet(log, { positionFile: position }))
  await t.rejects(mine.onStart(), new RegExp(`start link mine.*in use by link other.*in process ${child.pid}`))
  child.kill('SIGKILL')
  await once(child, 'exit')
  await mine.onStart()
  await mine.onShutdown()
})

t.test('the folder of a position file is made; where it cannot be, the inlet does not start', async (t) => {
  const { folder, log } = filesOf(t)
  const positionFile = `${folder}/state/of/position`
  const inlet = new FileInlet(log, { positionFile })
  await inlet.onStart()
  t.same(readdirSync(`${folder}/state/of`), [], 'nothing is left of the trial')
  rmSync(`${folder}/state`, { recursive: true })
  await inlet.onShutdown()
  t.ok(existsSync(positionFile), 'it is made again when it was removed meanwhile')
  const within = new FileInlet(log, { positionFile: `${log}/position` })
  await t.rejects(within.onStart(), {
    path: `${log}/position`,
    message: /cannot use the positionFile .*(ENOTDIR|EEXIST)/,
  })
})

t.test('a folder that takes the place of a removed one is another, also where it gets its inode', async (t) => {
  const { folder, log } = filesOf(t)
  const positionFile = `${folder}/state/position`
  const first = new FileInlet(log, { positionFile })
  await first.onStart()
  t.teardown(() => first.onShutdown())
  const second = new FileInlet(log, { positionFile })
  rmSync(`${folder}/state`, { recursive: true })
  await second.onStart()
  t.ok(existsSync(`${folder}/state`))
  await second.onShutdown()
})
