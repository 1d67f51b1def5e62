import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { setLogDestination, setLogLevel, type OutletAccount } from 'databay'
import { Run } from './harness.js'
import { expect, expectNothingWrong, type Outcome, type Scenario } from './scenario.js'

/** Code of a module whose link holds all that it pulls, with a fault from its second thread on. */
function moduleCode(links: URL, fault: string): string {
  return `
    import { existsSync, writeFileSync } from 'node:fs'
    import { links as all } from ${JSON.stringify(links.href)}
    const marker = new URL('loaded', import.meta.url)
    const isAgain = existsSync(marker)
    const isMended = () => existsSync(new URL('mended', import.meta.url))
    const [link] = all
    const [inlet] = link.inlets
    const buffer = link.processors.find(({ size }) => size !== undefined)
    const fail = (what) => { if (isAgain && !isMended()) throw new Error(what) }
    writeFileSync(marker, '')
    ${fault}
    export const held = link`
}

interface Held {
  readonly run: Run
  /** URL of the module of the link. */
  readonly module: URL
  /** Account of the link's outlet, in the planner or out of it. */
  readonly account: () => OutletAccount
  /** Numbers of lost records that the log names. */
  readonly logged: () => number
  /** Takes the fault away. */
  readonly mend: () => void
}

/** Scenario: a link whose buffer holds records leaves its thread, and has a fault in the next. */
function handOff(name: string, fault: string, work: (held: Held) => Promise<string>): Scenario {
  return {
    name,
    async run(): Promise<Outcome> {
      let module = new URL('file:///')
      let mended = ''
      const settings = { threads: 1, startTimeout: 20 }
      const run = new Run([{ name: 'held', buffer: 100_000 }], settings, (folder, links) => {
        const file = path.join(folder, 'held.mjs')
        mended = path.join(folder, 'mended')
        writeFileSync(file, moduleCode(links, fault))
        module = pathToFileURL(file)
        return module
      })
      const lines: string[] = []
      setLogDestination({ write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg) })
      setLogLevel('error')
      const { planner } = run
      const account = () => {
        const { links, removed } = planner.stats()
        const found = [...removed, ...links].find(({ link }) => link === 'held')?.outlets[0]
        if (found === undefined) throw new Error('there is an account of the link')
        return found
      }
      const logged = () =>
        lines.reduce((sum, line) => sum + Number(/(\d+)(?: \w+)* records.* lost/.exec(line)?.[1] ?? 0), 0)
      const mend = () => {
        writeFileSync(mended, '')
      }
      try {
        await planner.start()
        await run.until(() => run.reportsOf('held').length >= 3)
        planner.pause()
        await run.until(() => planner.stats().links.every(({ running }) => running === 0))
        const held = await work({ run, module, account, logged, mend })
        const { pulled, added, filtered, pushed, dropped, lost, buffered } = account()
        expect(buffered === 0, 'nothing is in buffers at the end')
        expect(pulled > 0 && pulled + added === filtered + pushed + dropped + lost, 'every record is in the account')
        const issued = run.reportsOf('held').reduce((sum, report) => sum + report.pulled, 0)
        expect(pulled === issued, `all that was pulled is: ${pulled} of ${issued}`)
        expect(lost === planner.counts.lost, `the planner counts ${planner.counts.lost} as lost, the account ${lost}`)
        expect(lost === logged(), `${lost} are lost, and the log says ${logged()}`)
        const journal = run.journalOf('held').reduce((sum, { records }) => sum + records.length, 0)
        expect(pushed === journal, `${pushed} count as pushed, and ${journal} were`)
        expectNothingWrong(run.judge(lost))
        return { held }
      } finally {
        await run.end()
        setLogDestination(undefined)
        run.forget()
      }
    },
  }
}

const START = `inlet.onStart = () => fail('refused')`
const RESTORE = `const restore = buffer.restoreState.bind(buffer)
  buffer.restoreState = (state) => { fail('not taken over'); restore(state) }`
const POSITION = `inlet.saveState = () => 'position'
  inlet.restoreState = () => fail('not taken over')`

export const handOffs: readonly Scenario[] = [
  handOff('buffer of a link that cannot be opened again', START, async ({ run, account, logged }) => {
    await run.planner.recycle()
    const { buffered, lost } = account()
    expect(buffered > 0 && lost === 0, 'its records wait')
    await run.end()
    expect(logged() === buffered, 'they are lost with the shutdown')
    return `${buffered} records waited, and were counted and logged as lost`
  }),
  handOff('buffer of a link that is opened again later', START, async ({ run, account, mend }) => {
    await run.planner.recycle()
    mend()
    await run.end()
    expect(account().lost === 0, 'none is lost')
    return `${account().pushed} records waited, and were pushed`
  }),
  handOff('reload of a link that cannot be started', START, async ({ run, module, account }) => {
    const refused = await run.planner.reload(module).then(
      () => false,
      () => true,
    )
    expect(refused, 'the reload fails')
    await run.end()
    expect(account().lost === 0, 'none is lost')
    return `the old one went on, and pushed ${account().pushed} records`
  }),
  handOff('buffer that cannot take over its state', RESTORE, async ({ run, account }) => {
    await run.planner.recycle()
    const { lost } = account()
    expect(lost > 0, 'its records are lost')
    const before = account().pulled
    run.planner.resume()
    await run.until(() => account().pulled > before)
    await run.end()
    expect(account().pushed > 0 && account().lost === lost, 'the link goes on')
    return `${lost} records were counted and logged as lost, and the link went on`
  }),
  handOff('inlet that cannot take over its state', POSITION, async ({ run, account }) => {
    await run.planner.recycle()
    await run.end()
    expect(account().lost === 0, 'none is lost')
    return `its buffer pushed ${account().pushed} records at the shutdown`
  }),
]
