/** A process that is killed while it reads a file, with a position file, loses no line. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'

const index = `file://${resolve(import.meta.dirname, '../../../dist/src/index.js')}`
const LINES = 3000
const PER_TRANSFER = 50
const KILLS = 5

t.test('after each kill, at most the records of the transfer that ran come again', async (t) => {
  const folder = t.testdir({ log: Array.from({ length: LINES }, (_, line) => `${line}\n`).join('') })
  const [program, log, out] = [`${folder}/program.mjs`, `${folder}/log`, `${folder}/out`]
  writeFileSync(
    program,
    `import { FileInlet, FileOutlet, Link } from ${JSON.stringify(index)}
    const inlet = new FileInlet(${JSON.stringify(log)}, {
      linesPerTransfer: ${PER_TRANSFER}, positionFile: ${JSON.stringify(`${folder}/position`)},
    })
    const link = new Link({ inlets: inlet, outlets: new FileOutlet(${JSON.stringify(out)}), interval: 1 })
    await link.onStart()
    while ((await link.transfer()).pulled > 0);
    await link.onShutdown()
    process.exitCode = 7`,
  )
  const written = () => (existsSync(out) ? readFileSync(out, 'utf8').split('\n').slice(0, -1) : [])
  let kills = 0
  for (;;) {
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'inherit', 'inherit'] })
    const exited = once(child, 'exit')
    const before = written().length
    while (kills < KILLS && child.exitCode === null && written().length < before + 3 * PER_TRANSFER) {
      await new Promise((done) => setTimeout(done, 1))
    }
    if (kills < KILLS && child.kill('SIGKILL')) kills++
    const [code] = (await exited) as [number | null]
    if (code !== null) {
      t.equal(code, 7)
      break
    }
  }
  const lines = written()
  t.equal(kills, KILLS)
  t.equal(new Set(lines).size, LINES, 'every line is there')
  const again = lines.length - LINES
  t.ok(again <= KILLS * PER_TRANSFER, `${again} lines came again`)
  // repeated lines begin where the last transfer began
  let next = 0
  for (const [at, line] of lines.entries()) {
    if (Number(line) !== next) t.ok(Number(line) === next - PER_TRANSFER, `at ${at}, ${line} follows ${next - 1}`)
    next = Number(line) + 1
  }
})
