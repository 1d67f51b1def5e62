/** Where file outlets write: standard output and other streams, and snapshots of what became empty. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { Buffer } from '../../../src/core/buffer.js'
import { CsvOutlet } from '../../../src/connectors/csv/csv-outlet.js'
import { FileOutlet } from '../../../src/connectors/files/file-outlet.js'
import type { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import type { Outlet } from '../../../src/core/outlet.js'
import { captureLogs } from '../../helpers/logs.js'
import { FromInlet } from '../../helpers/nodes.js'

const index = `file://${resolve(import.meta.dirname, '../../../dist/src/index.js')}`

/** Runs a program that makes two transfers of two records, with these streams. */
async function streams(t: Test, outlet: string, target: string, shell: string) {
  const folder = t.testdir({})
  symlinkSync('/dev/stdout', `${folder}/access.log`)
  writeFileSync(
    `${folder}/main.mjs`,
    `import { CsvOutlet, FileOutlet, Inlet, Link } from ${JSON.stringify(index)}
    class Rows extends Inlet { pull() { return [{ n: 1 }, { n: 2 }] } }
    const outlets = new ${outlet}(${JSON.stringify(target.replace('FOLDER', folder))})
    const link = new Link({ inlets: new Rows(), outlets, interval: 1 })
    await link.onStart()
    for (let n = 0; n < 2; n++) {
      const { errors } = await link.transfer()
      if (errors.length > 0) process.exit(7)
    }
    await link.onShutdown()`,
  )
  const child = spawn('sh', ['-c', shell.replaceAll('MAIN', `"${process.execPath}" main.mjs`)], { cwd: folder })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  await once(child, 'close')
  return existsSync(`${folder}/out`) ? readFileSync(`${folder}/out`, 'utf8') : text
}

const LINES = '{"n":1}\n{"n":2}\n{"n":1}\n{"n":2}\n'
const ROWS = 'n\n1\n2\n1\n2\n'

for (const target of ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1', 'FOLDER/access.log']) {
  t.test(`${target} is a pipe, a socket or a file`, async (t) => {
    for (const shell of ['MAIN | cat', 'MAIN', 'MAIN > out', 'echo before > out; MAIN >> out']) {
      const before = shell.startsWith('echo') ? 'before\n' : ''
      t.equal(await streams(t, 'FileOutlet', target, shell), before + LINES, shell)
    }
    t.equal(await streams(t, 'CsvOutlet', target, 'MAIN | cat'), ROWS, 'with one header')
  })
}

t.test('/dev/stderr, and a named pipe', async (t) => {
  t.equal(await streams(t, 'FileOutlet', '/dev/stderr', 'MAIN 2>&1 >/dev/null | cat'), LINES)
  t.equal(await streams(t, 'CsvOutlet', 'pipe', 'mkfifo pipe; cat pipe & exec 3<>pipe; MAIN; exec 3>&-; wait'), ROWS)
})

/** Makes a transfer of these payloads into an outlet. */
async function transfer(outlet: Outlet, payloads: () => unknown[], processors: Buffer[] = []) {
  const inlets = new FromInlet(payloads) as Inlet
  const link = new Link({ inlets, outlets: outlet, processors, interval: 1, ignoreExceptions: true })
  return link.transfer()
}

t.test('a snapshot whose source became empty is kept, or cleared where that is wanted', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({})
  const rows = () => [{ n: 1 }]
  const none = () => []
  const make = {
    text: (whenEmpty?: 'clear') => new FileOutlet(`${folder}/text`, { fileMode: 'w', ...(whenEmpty && { whenEmpty }) }),
    csv: (whenEmpty?: 'clear') => new CsvOutlet(`${folder}/csv`, { fileMode: 'w', ...(whenEmpty && { whenEmpty }) }),
  }
  const [full, empty] = [
    { text: '{"n":1}\n', csv: 'n\n1\n' },
    { text: '', csv: 'n\n' },
  ]
  for (const kind of ['text', 'csv'] as const) {
    const content = () => readFileSync(`${folder}/${kind}`, 'utf8')
    await transfer(make[kind](), rows)
    await transfer(make[kind](), none)
    t.equal(content(), full[kind], 'kept by default')
    const clearing = make[kind]('clear')
    await transfer(clearing, () => {
      throw new Error('the source is down')
    })
    t.equal(content(), full[kind], 'a source that failed is not empty')
    await transfer(clearing, rows, [new Buffer({ countThreshold: 9 })])
    t.equal(content(), full[kind], 'nor is one whose records a buffer holds')
    t.match(await transfer(clearing, none), { errors: [], outlets: [{ pushed: 0, batches: 0 }] })
    t.equal(content(), empty[kind])
  }
  await transfer(new CsvOutlet(`${folder}/new`, { fileMode: 'w', whenEmpty: 'clear', columns: ['a', 'b'] }), none)
  t.equal(readFileSync(`${folder}/new`, 'utf8'), 'a,b\n')
  for (const Class of [FileOutlet, CsvOutlet]) {
    t.throws(() => new Class('x', { whenEmpty: 'clear' }), /whenEmpty.*unless fileMode is 'w'/)
  }
})
