/** Checks of the suite of planners fail, with a sentence, for a planner that breaks just that part of the contract. */
import t from 'tap'
import type { PlannedLink } from '../../src/core/planned-link.js'
import { BasePlanner } from '../../src/planners/base-planner.js'
import type { PlannerOptions, ShutdownOptions } from '../../src/planners/planner-options.js'
import type { OneOrMany } from '../../src/base/one-or-many.js'
import { PlannerTester, type PlannerSetup } from '../../src/testing/index.js'
import { failuresOf } from '../helpers/contract-results.js'

/** Planner that keeps the contract. Its methods are small, for subclasses to break. */
class Ticking extends BasePlanner {
  protected readonly timers = new Map<PlannedLink, NodeJS.Timeout | undefined>()
  protected ticks = false

  protected schedule(link: PlannedLink): void {
    this.timers.set(link, undefined)
    if (this.ticks) this.begin(link)
  }

  protected unschedule(link: PlannedLink): void {
    clearInterval(this.timers.get(link))
    this.timers.delete(link)
  }

  protected startPlanner(): void {
    this.ticks = true
    for (const link of this.timers.keys()) this.begin(link)
  }

  protected shutdownPlanner(): void {
    this.ticks = false
    for (const timer of this.timers.values()) clearInterval(timer)
  }

  protected override pausePlanner(): void {
    this.shutdownPlanner()
  }

  protected override resumePlanner(): void {
    this.startPlanner()
  }

  protected begin(link: PlannedLink): void {
    this.timers.set(
      link,
      setInterval(() => this.due(link), this.every(link)),
    )
  }

  protected every(link: PlannedLink): number {
    return Math.min(link.schedule.every ?? Infinity, 2 ** 31 - 1)
  }

  protected due(link: PlannedLink): void {
    void this.dispatch(link)
  }
}

/** Class that `create` makes instances of, named as its failure names it. */
type PlannerClass = new (links: PlannedLink[], options: PlannerOptions) => BasePlanner

/** Test that fails, its message, and the broken planner. Other tests may fail, too, if they need the same part. */
const BROKEN: readonly (readonly [test: string, says: string | RegExp, Planner: PlannerClass])[] = [
  [
    'transfers each link at its interval',
    /^Broken did not transfer a link 5 times: it made 0 within 0\.4 s$/,
    class Broken extends Ticking {
      protected override startPlanner() {}
    },
  ],
  [
    'transfers each link at its interval',
    /^Broken made 5 transfers of a link with an interval of 20 ms in \d+ ms$/,
    class Broken extends Ticking {
      protected override every(link: PlannedLink) {
        return super.every(link) / 5
      }
    },
  ],
  [
    'transfers by dispatch, so that transfers are counted and told of',
    /^Broken made \d+ transfers, counted 0 and told of 0: transfer links by this\.dispatch\(link\)$/,
    class Broken extends Ticking {
      protected override due(link: PlannedLink) {
        void link.transfer()
      }
    },
  ],
  [
    'does not transfer a link that is still transferring',
    /^Broken ran \d+ transfers of one link at once: use this\.dispatch\(link\)$/,
    class Broken extends Ticking {
      protected override due(link: PlannedLink) {
        void link.transfer()
      }
    },
  ],
  [
    'transfers every link once upon starting, unless told otherwise',
    'Broken.start transferred a link though the planner has immediateTransfer: false: hand the options on to super()',
    class Broken extends Ticking {
      constructor(links: PlannedLink[], _options: PlannerOptions) {
        super(links)
      }
    },
  ],
  [
    'transfers every link once upon starting, unless told otherwise',
    'Broken.start made 0 first transfers of a link: expected one',
    class Broken extends Ticking {
      constructor(links: PlannedLink[], options: PlannerOptions) {
        super(links, { ...options, immediateTransfer: false })
      }
    },
  ],
  [
    'transfers nothing before it is started',
    /^Broken transferred a link before it was started: it made \d+ more$/,
    class Broken extends Ticking {
      constructor(links: PlannedLink[], options: PlannerOptions) {
        super(links, options)
        for (const link of links) {
          const timer = setInterval(() => void link.transfer(), 20)
          t.teardown(() => clearInterval(timer))
        }
      }
    },
  ],
  [
    'transfers nothing after it is shut down',
    /^Broken transferred a link (after its shutdown|while its nodes were shut down)/,
    class Broken extends Ticking {
      protected override begin(link: PlannedLink) {
        const timer = setInterval(() => void link.transfer(), this.every(link))
        t.teardown(() => clearInterval(timer))
      }
    },
  ],
  [
    'transfers links now when it is forced to',
    'Broken.forceTransfer made 0 and 0 transfers of two links: expected one of each',
    class Broken extends Ticking {
      override forceTransfer() {
        return Promise.resolve([])
      }
    },
  ],
  [
    'ends when each link has made as many transfers as it may',
    'Broken with transfers: 2 did not end within 0.4 s',
    class Broken extends Ticking {
      constructor(links: PlannedLink[], { transfers: _, ...options }: PlannerOptions) {
        super(links, options)
      }
    },
  ],
  [
    'pauses, and goes on',
    /^Broken transferred a link while it was paused: it made \d+ more$/,
    class Broken extends Ticking {
      protected override pausePlanner() {}
    },
  ],
  [
    'pauses, and goes on',
    /^Broken did not go on after resume\(\): it made \d+ within 0\.4 s$/,
    class Broken extends Ticking {
      protected override resumePlanner() {}
    },
  ],
  [
    'starts and transfers a link that is added while it runs',
    'Broken did not transfer a link that was added while it runs: it made 0 within 0.4 s',
    class Broken extends Ticking {
      protected override schedule(link: PlannedLink) {
        this.timers.set(link, undefined)
      }
    },
  ],
  [
    'starts and transfers a link that is added while it runs',
    'Broken started the nodes of an added link 0 times: expected once',
    class Broken extends Ticking {
      override addLinks(links: OneOrMany<PlannedLink>) {
        for (const link of [links].flat()) this.schedule(link)
        return Promise.resolve()
      }
    },
  ],
  [
    'transfers a link no more that is removed while it runs, and shuts its nodes down',
    /^Broken left a removed link in its scheduling|^Broken transferred the other link|^Broken transferred a link after/,
    class Broken extends Ticking {
      protected override unschedule() {}
      protected override due(link: PlannedLink) {
        if (this.links.includes(link)) super.due(link)
        else void link.transfer()
      }
    },
  ],
  [
    'transfers a link no more that is removed while it runs, and shuts its nodes down',
    /^Broken did not transfer the other link after one was removed/,
    class Broken extends Ticking {
      protected override unschedule() {
        for (const timer of this.timers.values()) clearInterval(timer)
      }
    },
  ],
  [
    'takes a link back that was removed',
    /^Broken did not transfer a link that was removed and added again/,
    class Broken extends Ticking {
      readonly #gone = new Set<PlannedLink>()

      protected override schedule(link: PlannedLink) {
        if (!this.#gone.has(link)) super.schedule(link)
      }

      protected override unschedule(link: PlannedLink) {
        this.#gone.add(link)
        super.unschedule(link)
      }
    },
  ],
  [
    'removes a link before it is started',
    'Broken.removeLinks failed: Error: not scheduled',
    class Broken extends Ticking {
      override removeLinks(links: OneOrMany<PlannedLink>) {
        for (const link of [links].flat()) {
          if (!this.timers.has(link)) return Promise.reject(new Error('not scheduled'))
        }
        return super.removeLinks(links)
      }
    },
  ],
  [
    'refuses links that it has already, and those that it has not',
    /^Broken\.removeLinks of a link that is not in it gave .*: expected a MissingLinkError$/,
    class Broken extends Ticking {
      override async removeLinks(links: OneOrMany<PlannedLink>) {
        await super.removeLinks(links).catch(() => undefined)
      }
    },
  ],
  [
    'is purged of all links, and runs on',
    'Broken.purge stopped the planner',
    class Broken extends Ticking {
      override async purge() {
        await super.purge()
        await this.shutdown()
      }
    },
  ],
  [
    'starts nodes once before their first transfer, and shuts them down once after their last',
    'Broken shut a node down 0 times: expected once',
    class Broken extends Ticking {
      override shutdown(options?: ShutdownOptions) {
        if (options?.wait === false) return super.shutdown(options) // as the suite does at the end of a check
        this.shutdownPlanner()
        return Promise.resolve()
      }
    },
  ],
  [
    'says whether it runs',
    'Broken.running is true before its start',
    class Broken extends Ticking {
      override get running() {
        return true
      }
    },
  ],
  [
    'is started once, and shut down as often as one likes',
    'Broken.shutdown failed: Error: not started',
    class Broken extends Ticking {
      override shutdown(options?: ShutdownOptions) {
        return this.running ? super.shutdown(options) : Promise.reject(new Error('not started'))
      }
    },
  ],
  [
    'can be started again',
    /^Broken did not transfer a link when it was started again: it made \d+ within 0\.4 s$/,
    class Broken extends Ticking {
      #used = false

      protected override startPlanner() {
        if (!this.#used) super.startPlanner()
        this.#used = true
      }
    },
  ],
  [
    'lets running transfers end when it is shut down',
    'Broken.shutdown did not wait for a running transfer',
    class Broken extends Ticking {
      override shutdown() {
        return super.shutdown({ wait: false })
      }
    },
  ],
  [
    'tells running transfers to stop when it is shut down without waiting',
    'Broken.shutdown({ wait: false }) did not end within 0.4 s',
    class Broken extends Ticking {
      #asked = 0

      override shutdown(options?: ShutdownOptions) {
        // the second call comes at the end of the check
        return super.shutdown(this.#asked++ === 0 ? {} : options)
      }
    },
  ],
  [
    'drains buffers when it is shut down',
    'Broken.shutdown lost what a buffer held',
    class Broken extends Ticking {
      override shutdown(options?: ShutdownOptions) {
        return super.shutdown({ ...options, drain: false })
      }
    },
  ],
  [
    'leaves nothing open when it is shut down',
    'Broken left something open after its shutdown: Timeout',
    class Broken extends Ticking {
      protected override startPlanner() {
        super.startPlanner()
        const timer = setInterval(() => undefined, 1000)
        t.teardown(() => clearInterval(timer))
      }
    },
  ],
  [
    'stops when a transfer fails, and says why',
    'Broken, when a transfer fails, did not end within 0.4 s',
    class Broken extends Ticking {
      protected override onException() {}
    },
  ],
  [
    'goes on when a transfer fails that is to be ignored',
    /^Broken with ignoreExceptions did not go on after a failed transfer: it made 1 within 0\.4 s$/,
    class Broken extends Ticking {
      constructor(links: PlannedLink[], options: PlannerOptions) {
        super(links, options)
        this.on('transfer', ({ failed, errors }) => {
          if (failed || errors.length > 0) this.shutdownPlanner()
        })
      }
    },
  ],
  [
    'refuses to start when a node does, and undoes what it has started',
    'Broken.start resolved though a node failed to start',
    class Broken extends Ticking {
      override async start() {
        await super.start().catch(() => undefined)
      }
    },
  ],
]

const setupOf = (Planner: PlannerClass): PlannerSetup => ({
  create: (links, options) => new Planner(links, options),
  timeout: 0.4,
})

/** Runs one check of the suite. */
async function failureOf(setup: PlannerSetup, test: string): Promise<string | undefined> {
  const tester = new PlannerTester(setup)
  const only = {
    run: (runner: (name: string, body: () => Promise<void>) => unknown) =>
      tester.run((name, body) => (name === test ? runner(name, body) : undefined)),
  }
  return (await failuresOf(only))[test]
}

t.test('a planner that keeps the contract passes', async (t) => {
  t.same(await failuresOf(new PlannerTester({ ...setupOf(Ticking), timeout: 5 })), {})
})

for (const [test, says, Planner] of BROKEN) {
  t.test(`${test}: ${String(says)}`, async (t) => {
    const failure = await failureOf(setupOf(Planner), test)
    if (typeof says === 'string') t.equal(failure, says)
    else t.match(failure, says)
  })
}

t.test('a planner that cannot be paused has to say so', async (t) => {
  const setup = { ...setupOf(Ticking), pausable: false }
  const says = 'Ticking.pause did nothing: it must throw, or pausable be left out'
  t.equal(await failureOf(setup, 'says that it cannot be paused'), says)
})

t.test('every check has a planner that fails it', async (t) => {
  const names: string[] = []
  await new PlannerTester(setupOf(Ticking)).run((name) => void names.push(name))
  const broken = new Set(BROKEN.map(([test]) => test))
  t.same(
    names.filter((name) => !broken.has(name)),
    [],
  )
})

t.test('an object that is no planner fails each check with a sentence', async (t) => {
  const says = 'create() did not give a planner: extend BasePlanner'
  t.equal(await failureOf({ create: () => ({}) as never }, 'says whether it runs'), says)
})
