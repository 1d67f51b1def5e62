import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import t from 'tap'
import { checkNiceable, niceIncrementOf } from '../../../src/threads/main/nice.js'
import { ThreadPool } from '../../../src/threads/main/thread-pool.js'

/** Number of threads of this process that are by so much nicer than it is. */
function threadsNicerBy(increment: number): number {
  const nice = readdirSync('/proc/self/task').map((task) => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, 'utf8')
    // the name of the program, in brackets, may hold anything
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
  })
  return nice.filter((value) => value === getPriority() + increment).length
}

t.test(
  'threads are nicer than the main thread when they are asked to be',
  { skip: process.platform !== 'linux' },
  async (t) => {
    for (const niceIncrement of [undefined, 3, 0]) {
      t.test(niceIncrement === undefined ? 'not unless they are asked' : `by ${niceIncrement}`, async (t) => {
        const pool = new ThreadPool({ threads: 2, transfersPerThread: 1, niceIncrement })
        t.teardown(() => pool.destroy())
        const expected = niceIncrement ?? 0
        const before = threadsNicerBy(expected)
        await pool.start()
        const nicer = threadsNicerBy(expected) - before
        if (expected > 0) t.equal(nicer, 2)
        else t.ok(nicer >= 2, 'they are as it is')
      })
    }
  },
)

t.test('elsewhere than on Linux it is left alone, as that would be the whole process', async (t) => {
  t.equal(niceIncrementOf(7, 'linux'), 7)
  t.equal(niceIncrementOf(undefined, 'linux'), 0)
  t.equal(niceIncrementOf(7, 'darwin'), 0)
  t.equal(niceIncrementOf(undefined, 'win32'), 0)
})

t.test('without the package for it', async (t) => {
  const missing = () => {
    throw new Error('Cannot find module')
  }
  t.test('what is asked for is refused', { skip: process.platform !== 'linux' }, async (t) => {
    t.throws(() => checkNiceable(1, missing), {
      code: 'DATABAY_MISSING_DEPENDENCY',
      message:
        /^niceIncrement needs the package @napi-rs\/nice, .*: npm install @napi-rs\/nice@\^1 \(Cannot find module\)$/,
    })
  })

  t.test('what is not asked for is done without', async (t) => {
    t.doesNotThrow(() => checkNiceable(undefined, missing))
    t.doesNotThrow(() => checkNiceable(0, missing))
  })
})
