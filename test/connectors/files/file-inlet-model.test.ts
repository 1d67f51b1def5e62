/**
 * A file inlet against a model: whatever happens to a file between its transfers, each line comes exactly once, in
 * order. Lines are lost if the file was truncated before they were read, or was deleted while no inlet held it open. To
 * redeliver, the lines of a failed transfer come again, with all that followed, also when transfers overlap.
 */
import { Buffer } from 'node:buffer'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import fc, { runsOf } from '../../helpers/fast-check.js'
import t from 'tap'
import { FileInlet } from '../../../src/connectors/files/file-inlet.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'

const RUNS = runsOf(500)

type Step =
  | { readonly do: 'append'; readonly lines: number; readonly length: number; readonly end: '\n' | '\r\n' }
  | { readonly do: 'partial append'; readonly bytes: number }
  | { readonly do: 'rotate'; readonly create: boolean }
  | { readonly do: 'truncate'; readonly keep: number }
  | { readonly do: 'delete' }
  | { readonly do: 'restart' }
  | { readonly do: 'pull'; readonly max: number; readonly end: End }
  | { readonly do: 'late end'; readonly which: number; readonly end: Exclude<End, 'later'> }

/** Ways in which the transfer of a pull ends. */
type End = 'delivered' | 'failed' | 'later'

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      lines: fc.integer({ min: 1, max: 5 }),
      length: fc.oneof({ weight: 20, arbitrary: fc.nat(200) }, { weight: 1, arbitrary: fc.nat(100_000) }),
      end: fc.constantFrom('\n' as const, '\r\n' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('partial append' as const), bytes: fc.nat(12) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rotate' as const), create: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('truncate' as const),
      keep: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('pull' as const),
      max: fc.integer({ min: 1, max: 4 }),
      end: fc.constantFrom('delivered' as const, 'delivered' as const, 'failed' as const, 'later' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('late end' as const),
      which: fc.nat(3),
      end: fc.constantFrom('delivered' as const, 'failed' as const),
    }),
  },
)

/** File of the model. A file that was begun later has a greater number. */
interface ModelFile {
  readonly begun: number
  bytes: Buffer
}

/** Folder with a log that is written to and rotated: on disk, and in the model. */
class Folder {
  readonly path: string
  readonly names = new Map<string, ModelFile>()
  #now = 0
  #token = 0
  #owed: Buffer = Buffer.alloc(0)
  /** Deleted files are held open, so that no new file gets the inode of one of them. */
  readonly #held: number[] = []

  constructor(readonly folder: string) {
    this.path = join(folder, 'log')
  }

  line(length: number, end: string): Buffer {
    return Buffer.from(`${this.#token++}-é-😀-${'x'.repeat(length)}${end}`)
  }

  append(bytes: Buffer): void {
    this.#write(Buffer.concat([this.#owed, bytes]))
    this.#owed = Buffer.alloc(0)
  }

  /** Appends a part of a line; the rest of it comes with the next append. */
  appendPart(line: Buffer, length: number): void {
    this.append(line.subarray(0, length))
    this.#owed = line.subarray(length)
  }

  rotate(): void {
    if (!this.names.has('log')) return
    const ages = [...this.names.keys()].map((name) => Number(name.split('.')[1] ?? 0)).sort((a, b) => b - a)
    for (const age of ages) this.#rename(age === 0 ? 'log' : `log.${age}`, `log.${age + 1}`)
  }

  truncate(keep: number): void {
    const file = this.names.get('log')
    if (file === undefined) return
    const size = Math.floor(file.bytes.length * keep)
    truncateSync(this.path, size)
    file.bytes = file.bytes.subarray(0, size)
    this.#touch()
  }

  delete(): void {
    if (!this.names.delete('log')) return
    this.#held.push(openSync(this.path, 'r'))
    unlinkSync(this.path)
  }

  close(): void {
    for (const descriptor of this.#held) closeSync(descriptor)
    rmSync(this.folder, { recursive: true })
  }

  #write(bytes: Buffer): void {
    appendFileSync(this.path, bytes)
    const file = this.names.get('log') ?? { begun: this.#now, bytes: Buffer.alloc(0) }
    file.bytes = Buffer.concat([file.bytes, bytes])
    this.names.set('log', file)
    this.#touch()
  }

  /** Lets time pass, as the clock of the file system is too coarse to tell these steps apart. */
  #touch(): void {
    this.#now++
    utimesSync(this.path, this.#now, this.#now)
  }

  #rename(from: string, to: string): void {
    renameSync(join(this.folder, from), join(this.folder, to))
    this.names.set(to, this.names.get(from) as ModelFile)
    this.names.delete(from)
  }
}

/** Pull that gave lines: its start, and the end of its transfer. */
interface ModelPull {
  readonly update: Update
  readonly file: ModelFile
  readonly read: Buffer
  end: End
  /** Whether it was handed off to another instance, as buffers hold its lines. All of these come again together. */
  carried?: boolean
}

/** Lines that an inlet should read, by the model. */
class ModelReader {
  readonly #folder: Folder
  readonly #redeliver: boolean
  /** Files that were read in this order, and are read in it again. */
  readonly #order: ModelFile[] = []
  /** Pulls from the first one on that was not delivered. */
  #pulls: ModelPull[] = []
  #file: ModelFile | undefined
  /** Files that took the place of another one, and began as that did. */
  readonly #copies = new WeakSet<ModelFile>()
  /** Everything that was read of the file. */
  #read: Buffer = Buffer.alloc(0)
  /** Whether the file is gone, and no other one has the name yet: it may come back. */
  #awaited = false

  constructor(folder: Folder, redeliver: boolean) {
    this.#folder = folder
    this.#redeliver = redeliver
  }

  /** Transfers that have not ended yet. */
  get running(): Update[] {
    return this.#pulls.filter(({ end }) => end === 'later').map(({ update }) => update)
  }

  end(update: Update, end: End): void {
    for (const pull of this.#pulls) if (pull.update === update) pull.end = end
    if (this.#pulls[0]?.carried === true && this.#pulls.some((pull) => pull.carried && pull.end !== 'delivered')) return
    const first = this.#pulls.findIndex((pull) => pull.end !== 'delivered')
    this.#pulls = first === -1 ? [] : this.#pulls.slice(first)
  }

  /** @param handedOff - whether the pulls that buffers hold move along; otherwise they begin with the first again */
  restart(handedOff: boolean): void {
    this.#goBack(handedOff ? this.#firstFailed : 0)
    for (const pull of this.#pulls) pull.carried = true
    this.#reopen()
  }

  /** Finds the file by its name, as none is held open any more. */
  #reopen(): void {
    this.#awaited = false
    this.#order.length = 0
    if (this.#file !== undefined) this.#order.push(this.#file)
    const files = [...this.#folder.names.values()]
    const kept = files.includes(this.#file as ModelFile)
    if (kept && this.#goesOn(this.#file)) return
    // the parts of lines that are alike may make files that begin alike
    const log = this.#folder.names.get('log')
    const others = files.filter((file) => file !== log).sort((a, b) => b.begun - a.begun)
    const copy = this.#read.length === 0 ? undefined : [log, ...others].find((file) => this.#goesOn(file))
    if (copy !== undefined) {
      this.#order.splice(0, Infinity, copy)
      this.#file = copy
    } else if (!kept && log === undefined && this.#file !== undefined) this.#awaited = true
    else if (!kept) this.#use(log)
  }

  /** Whether a file begins with all that was read of the current one. */
  #goesOn(file: ModelFile | undefined): boolean {
    return file?.bytes.subarray(0, this.#read.length).equals(this.#read) === true
  }

  /** Whether a file takes the place of the current one, which was deleted, and begins as it did. */
  #replaces(file: ModelFile): boolean {
    const isGone = ![...this.#folder.names.values()].includes(this.#file as ModelFile)
    if (this.#read.length > 0 && isGone && !this.#order.includes(file) && this.#goesOn(file)) this.#copies.add(file)
    return this.#read.length > 0 && this.#copies.has(file)
  }

  get #firstFailed(): number {
    const failed = this.#pulls.findIndex(({ end }) => end === 'failed')
    return this.#pulls[failed]?.carried === true ? 0 : failed
  }

  pull(max: number, update: Update): string[] {
    const failed = this.#pulls[this.#firstFailed]
    this.#goBack(this.#firstFailed)
    if (failed?.carried === true) this.#reopen()
    if (this.#awaited) this.#reopen()
    if (this.#awaited) return []
    if (this.#file === undefined) this.#use(this.#folder.names.get('log'))
    for (;;) {
      const file = this.#file
      if (file === undefined) return []
      if (!file.bytes.subarray(0, this.#read.length).equals(this.#read)) this.#read = Buffer.alloc(0)
      const lines: string[] = []
      const start = { update, file, read: this.#read, end: 'later' as const }
      let at = this.#read.length
      const next = this.#begunAfter(file)
      if (lines.length === 0 && next !== undefined && this.#replaces(next)) {
        if (!this.#order.includes(next)) this.#order.push(next)
        this.#file = next
        continue
      }
      // of CRLF, truncation can leave CR alone: it is a line end in a file without LF
      const returns = file.bytes.filter((byte) => byte === 13).length >= (next === undefined ? 2 : 1)
      const end = returns && !file.bytes.includes(10) ? 13 : 10
      while (lines.length < max && file.bytes.includes(end, at)) {
        const newline = file.bytes.indexOf(end, at)
        lines.push(file.bytes.toString('utf8', at, newline).replace(/\r$/, ''))
        at = newline + 1
      }
      if (lines.length === 0 && next !== undefined && at < file.bytes.length) {
        lines.push(file.bytes.toString('utf8', at))
        at = file.bytes.length
      }
      this.#read = file.bytes.subarray(0, at)
      if (lines.length > 0 && this.#redeliver) this.#pulls.push(start)
      if (lines.length > 0 || next === undefined) return lines
      this.#use(next)
    }
  }

  #goBack(to: number): void {
    const pull = this.#pulls[to]
    if (pull === undefined) return
    this.#file = pull.file
    this.#read = pull.read
    this.#pulls.length = to
  }

  #use(file: ModelFile | undefined): void {
    if (file !== undefined && !this.#order.includes(file)) this.#order.push(file)
    this.#file = file
    this.#read = Buffer.alloc(0)
  }

  #begunAfter(file: ModelFile): ModelFile | undefined {
    const known = this.#order[this.#order.indexOf(file) + 1]
    if (known !== undefined) return known
    return [...this.#folder.names]
      .filter(([name, other]) => other.begun > file.begun && (name !== 'log' || other.bytes.length > 0))
      .map(([, other]) => other)
      .sort((a, b) => a.begun - b.begun)[0]
  }
}

t.test('each line comes once, in order, whatever is done to the file', async (t) => {
  const logs = captureLogs(t)
  const base = t.testdir({})
  const counts = new Map<string, number>()
  let runs = 0

  const property = fc.asyncProperty(
    fc.array(step, { minLength: 1, maxLength: 24, size: 'max' }),
    fc.boolean(),
    fc.boolean(),
    async (steps, byFile, redeliver) => {
      const folder = new Folder(mkdtempSync(join(base, 'run-')))
      const model = new ModelReader(folder, redeliver)
      let transfers = 0
      let max = 1
      const make = () =>
        new FileInlet(folder.path, {
          linesPerTransfer: max,
          missing: 'await',
          redeliver,
          ...(byFile && { positionFile: join(folder.folder, 'position') }),
        })
      let inlet = make()
      await inlet.onStart()
      const restart = async () => {
        await inlet.onShutdown()
        const state = structuredClone(inlet.saveState())
        inlet = make()
        if (!byFile) inlet.restoreState(state)
        await inlet.onStart()
        model.restart(!byFile)
      }
      const end = (update: Update, how: End) => {
        if (how === 'later') return
        // the instances of updates do not move to another thread
        inlet.onTransferEnd(new Update(update.tags, update.transferNumber), how === 'delivered')
        inlet.onTransferEnd(update, how === 'delivered')
        model.end(update, how)
      }
      const pull = async (how: End): Promise<number> => {
        const update = new Update(['model'], transfers++)
        const [actual, expected] = [await inlet.pull(update), model.pull(max, update)]
        if (JSON.stringify(actual) !== JSON.stringify(expected)) {
          throw new Error(`pulled ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`)
        }
        end(update, how)
        return expected.length
      }
      try {
        for (const one of steps) {
          counts.set(one.do, (counts.get(one.do) ?? 0) + 1)
          switch (one.do) {
            case 'append':
              folder.append(Buffer.concat(Array.from({ length: one.lines }, () => folder.line(one.length, one.end))))
              break
            case 'partial append':
              folder.appendPart(folder.line(0, '\n'), one.bytes)
              break
            case 'rotate':
              folder.rotate()
              if (one.create) folder.append(Buffer.alloc(0))
              break
            case 'truncate':
              folder.truncate(one.keep)
              break
            case 'delete':
              folder.delete()
              break
            case 'restart':
              await restart()
              break
            case 'pull':
              if (one.max !== max) {
                max = one.max
                await restart() // the number of lines is an option
              }
              await pull(one.end)
              if (one.end === 'failed' && redeliver) counts.set('failed', (counts.get('failed') ?? 0) + 1)
              break
            case 'late end': {
              const { running } = model
              const update = running[one.which % running.length]
              if (update !== undefined) end(update, one.end)
            }
          }
        }
        folder.append(folder.line(0, '\n'))
        for (const update of model.running) end(update, 'failed')
        while ((await pull('delivered')) > 0);
      } finally {
        await inlet.onShutdown()
        folder.close()
      }
      runs++
    },
  )
  await fc.assert(property, { numRuns: RUNS })

  t.equal(runs, RUNS)
  t.notOk(existsSync(base) && readdirSync(base).length > 0, 'every run tidied up')
  t.ok(logs.lines.length > 0, 'truncated files were noticed')
  const made = [...counts].map(([name, count]) => `${name} ${count}`).join(', ')
  t.comment(`FileInlet against a model: ${runs} runs held (${made})`)
})
