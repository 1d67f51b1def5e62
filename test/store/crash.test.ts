/*
 * Stores whose process is killed, whose writes fail, and whose disk is full, with real processes, signals and file systems.
 * `STORE_KILLS=500 STORE_OPERATIONS=80` in the environment does more of it, with `--timeout=3600`.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { checkStore } from '../../src/store/check.js'
import { LinkStore } from '../../src/store/link-store.js'
import { ownStore } from '../../src/store/store.js'
import { builtStore, isBuilt, StoreProgram } from '../helpers/stores.js'

if (!isBuilt) t.bailout('the store is not built: run `npm run build` first')

const KILLS = Number(process.env['STORE_KILLS'] ?? 4)
const OPERATIONS = Number(process.env['STORE_OPERATIONS'] ?? 5)

/** Time for each test, in milliseconds. */
const timeout = 60_000 + 5000 * (KILLS + OPERATIONS)

/** A thread with links that commit again and again, and say what is committed: `[link, number]`. */
const THREAD = `
  import { writeSync } from 'node:fs'
  import { workerData } from 'node:worker_threads'
  import { LinkStore } from '${builtStore('link-store.js')}'
  import { openStore } from '${builtStore('store.js')}'
  const { folder, thread, commits } = workerData
  const store = await openStore(folder)
  const live = async (id) => {
    const link = await LinkStore.open(store, id)
    let last = link.cursors.get('inlet')?.value ?? 0
    for (let n = 0; n < commits; n++) {
      const number = ++last
      await link.commit({
        cursors: [{ inlet: 'inlet', version: 1, value: number }],
        states: new Map([['part', { number, text: 'x'.repeat(number % 500) }]]),
        counts: { delivered: 1 },
        number,
      })
      writeSync(1, JSON.stringify([id, number]) + '\\n')
    }
  }
  await Promise.all([0, 1, 2, 3, 4].map((n) => live('link ' + n + ' of ' + thread)))
  store.close()`

/** A program with threads of {@link THREAD}. */
function program(threads: number, commits = Infinity): string {
  return `
    import { Worker } from 'node:worker_threads'
    const { store, release } = await ownStore(folder)
    const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(THREAD)}))
    const ended = Array.from({ length: ${threads} }, (_, thread) => new Promise((resolve, reject) => {
      const worker = new Worker(url, { workerData: { folder, thread, commits: ${commits} } })
      worker.on('exit', resolve).on('error', reject)
    }))
    await Promise.all(ended)
    release()`
}

/** Highest number of each link that was said to be committed. */
function acknowledged(lines: readonly unknown[]): Map<string, number> {
  return new Map(lines as [string, number][])
}

/** Checks that a store has all that was acknowledged, that nothing of it is torn, and that it is whole. */
async function judge(t: Test, folder: string, acked: ReadonlyMap<string, number>, what: string): Promise<number> {
  const owned = await ownStore(folder)
  let records = 0
  for (const [id, number] of acked) {
    const { opened, cursors, states } = await LinkStore.open(owned.store, id)
    const { number: inState } = (states.get('part') ?? {}) as { number?: number }
    const value = Number(cursors.get('inlet')?.value)
    if (opened.number < number) t.fail(`${what}: ${id}: lost from ${opened.number} to ${number}`)
    if (opened.number > number + 1) t.fail(`${what}: ${id}: ${opened.number} is there, but ${number} was the last`)
    if (inState !== opened.number || value !== opened.number || opened.counts.delivered !== opened.number) {
      t.fail(`${what}: ${id}: torn: ${opened.number}, ${value}, ${inState ?? ''}, ${opened.counts.delivered}`)
    }
    records += number
  }
  owned.release()
  t.same((await checkStore(folder)).problems, [], `${what}: whole`)
  return records
}

t.test(
  'a process that is killed while two threads commit loses nothing that was acknowledged',
  { timeout },
  async (t) => {
    const folder = t.testdir()
    const acked = new Map<string, number>()
    for (let kill = 0; kill < KILLS; kill++) {
      const running = new StoreProgram(t, folder, program(2))
      await running.until(20 + ((kill * 37) % 100))
      await running.kill()
      t.equal(running.stderr, '')
      for (const [id, number] of acknowledged(running.lines)) acked.set(id, number)
      t.ok((await judge(t, folder, acked, `kill ${kill}`)) > 0)
    }
  },
)

/** Whether a command can be run here. */
function can(file: string, args: readonly string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const noStrace = can('strace', ['-f', '-e', 'inject=fsync:signal=KILL:when=999', 'true'])
  ? false
  : 'there is no strace here'

t.test(
  'a process that is killed at its n-th write or sync loses nothing that was acknowledged',
  { skip: noStrace, timeout },
  async (t) => {
    for (let n = 1; n <= OPERATIONS; n++) {
      const folder = `${t.testdir()}/${n}`
      const at = n * Math.max(1, Math.floor(80 / OPERATIONS))
      const inject = `inject=pwrite64,fdatasync,fsync,ftruncate:signal=KILL:when=${at}`
      const wrap = [
        'strace',
        '-f',
        '-qq',
        '-o',
        '/dev/null',
        '-e',
        'trace=pwrite64,fdatasync,fsync,ftruncate',
        '-e',
        inject,
      ]
      const running = new StoreProgram(t, folder, program(1, 30), { wrap })
      const { signal } = await running.ended
      const acked = acknowledged(running.lines)
      await judge(t, folder, acked, `${String(signal)} at operation ${at}`)
    }
  },
)

t.test(
  'a sync that fails is made again, with its writes, and nothing is lost',
  { skip: noStrace, timeout },
  async (t) => {
    const folder = t.testdir()
    const inject = 'inject=fdatasync,fsync:error=EIO:when=25..27'
    const wrap = ['strace', '-f', '-qq', '-o', `${folder}.trace`, '-e', 'trace=fdatasync,fsync', '-e', inject]
    const running = new StoreProgram(t, folder, program(1, 40), { wrap })
    t.match(await running.ended, { code: 0 }, running.stderr)
    const acked = acknowledged(running.lines)
    t.same([...acked.values()], [40, 40, 40, 40, 40])
    await judge(t, folder, acked, 'after a sync that failed')
  },
)

/** Mounts a small file system. @returns its folder; `undefined` where that is not allowed */
function smallDisk(t: Test): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'databay-disk-'))
  t.teardown(() => {
    can('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  return can('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]) ? folder : undefined
}

t.test('on a full disk commits wait, others are told, and go on when there is room', async (t) => {
  const disk = smallDisk(t)
  if (disk === undefined) {
    t.pass('no file system can be mounted here: a full file stands in for it, in group-commit.test.ts')
    return
  }
  let troubles = 0
  let told: (() => void) | undefined
  const inTrouble = new Promise<void>((resolve) => (told = resolve))
  const recovered: string[] = []
  const owned = await ownStore(`${disk}/store`, {
    onTrouble: ({ error }) => {
      troubles++
      t.match(error, { code: 'DATABAY_STORE', message: /full|I\/O/ })
      told?.()
    },
    onRecovered: () => recovered.push('recovered'),
  })
  const link = await LinkStore.open(owned.store, 'orders')
  await link.commit({ counts: { pulled: 1 } })
  writeFileSync(`${disk}/ballast`, new Uint8Array(1_200_000))
  let done = false
  const waiting = link
    .commit({ counts: { pulled: 1 }, states: new Map([['part', 'x'.repeat(900_000)]]) })
    .then(() => (done = true))
  await inTrouble
  t.ok(owned.store.isInTrouble)
  t.notOk(done)
  rmSync(`${disk}/ballast`)
  owned.store.retry()
  await waiting
  t.same(recovered, ['recovered'])
  t.ok(troubles > 0)
  t.notOk(owned.store.isInTrouble)
  owned.release()
  t.same((await checkStore(`${disk}/store`)).problems, [])
  const again = await ownStore(`${disk}/store`)
  t.equal((await LinkStore.open(again.store, 'orders')).opened.counts.pulled, 2)
  again.release()
})
