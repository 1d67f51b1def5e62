/** A process with durable links is killed and started again at once, as a supervisor does it; also as a container's process 1. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { can, isBuilt, judge, MortalProgram } from '../helpers/durable-programs.js'

const LINKS = `
class Numbers extends databay.Inlet {
  pull(update, cursor) {
    const from = cursor.value ?? 0
    cursor.advance(from + 3)
    return [from, from + 1, from + 2]
  }
}
class Journal extends databay.Outlet {
  push = (records) => lines('numbers.txt', records.map(({ payload }) => payload))
}
export const numbers = new databay.Link({
  delivery: 'cursor', interval: 0.005, inlets: new Numbers(), outlets: new Journal(), processors: new databay.Buffer({ countThreshold: 7 }),
})`

/** Makes what follows the process 1 of a namespace of its own. */
const UNSHARE = ['unshare', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child']

for (const [name, wrap] of [
  ['a process', []],
  ['process 1', UNSHARE],
] as const) {
  const [file = 'true', ...args] = wrap
  const skip = !isBuilt
    ? 'the package is not built'
    : can(file, ...args, ...(wrap.length > 0 ? ['true'] : []))
      ? false
      : 'namespaces of processes cannot be made here'

  t.test(
    `${name} is killed and started again within 100 ms: it has its store at once, and loses nothing`,
    { skip },
    async (t) => {
      const program = new MortalProgram(t.testdir(), LINKS)
      const orders = { TRANSFERS: '1000000', THREADS: '1' }
      const count = () => program.numbers('numbers.txt').length
      const pauses: number[] = []
      let ended = 0
      const kills = 3
      for (let kill = 0; kill < kills; kill++) {
        const before = count()
        if (ended > 0) pauses.push(performance.now() - ended)
        const running = program.start(orders, wrap)
        t.teardown(() => running.child.kill('SIGKILL'))
        const over = running.ended.then(({ log }) => log)
        const until = Date.now() + 20_000
        while (count() < before + 30 && Date.now() < until && running.child.exitCode === null) await wait(5)
        t.ok(count() >= before + 30, running.child.exitCode === null ? 'it goes on' : await over)
        if (kill === 0) {
          const second = await program.run(orders, wrap)
          t.match(second, { code: 1, log: /DATABAY_STORE_OWNED/ }, 'a second process does not have the store meanwhile')
        }
        const exit = once(running.child, 'exit')
        process.kill(wrap.length === 0 ? (running.child.pid ?? 0) : childOf(running.child.pid ?? 0), 'SIGKILL')
        await exit
        ended = performance.now()
      }
      t.equal((await program.run({ THREADS: '1' }, wrap)).code, 0)
      t.ok(Math.min(...pauses) < 100, `${pauses.map(Math.round).join(', ')} ms`)
      const { lost, ahead, double } = judge(program.numbers('numbers.txt').map(String))
      t.match({ lost, ahead }, { lost: 0, ahead: 0 })
      t.ok(double <= kills * 9, `${double} came twice`)
    },
  )
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'))
}
