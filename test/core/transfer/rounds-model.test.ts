/** Model of transfers that stream: what arrives, what is counted, and what inlets are told. */
import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import type { RoundCounts } from '../../../src/core/round-counts.js'
import type { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { KeepOutlet } from '../../helpers/nodes.js'

class ModelInlet extends Inlet<number> {
  readonly told: [boolean, RoundCounts][] = []
  readonly #lists: readonly number[][]
  readonly #kind: 'now' | 'later'

  constructor(lists: readonly number[][], kind: 'now' | 'later') {
    super()
    this.#lists = lists
    this.#kind = kind
  }

  pull() {
    return this.#kind === 'now' ? this.#lists.values() : this.#later()
  }

  async *#later() {
    for (const list of this.#lists) yield await Promise.resolve(list)
  }

  override onTransferEnd(_update: Update, delivered: boolean, rounds: RoundCounts): void {
    this.told.push([delivered, rounds])
  }
}

const lists = fc.array(fc.array(fc.nat(99), { maxLength: 4 }), { maxLength: 6 })
const kind = fc.constantFrom('now' as const, 'later' as const)
const inlets = fc.array(fc.tuple(lists, kind), { minLength: 1, maxLength: 3 })
const size = fc.oneof(fc.constantFrom('pulled' as const, 'whole' as const), fc.integer({ min: 1, max: 5 }))

t.test(
  'property: rounds have the lists in the order of the inlets, and are delivered up to the one that fails',
  async (t) => {
    captureLogs(t, 'silent')
    await fc.assert(
      fc.asyncProperty(inlets, size, fc.option(fc.nat(6), { nil: undefined }), async (sources, rounds, failing) => {
        const steps = Math.max(...sources.map(([all]) => all.length))
        const pulled = Array.from({ length: steps }, (_, at) => sources.flatMap(([all]) => all[at] ?? []))
        const all = pulled.flat()
        const expected =
          rounds === 'pulled'
            ? pulled
            : rounds === 'whole'
              ? [all]
              : Array.from({ length: Math.ceil(all.length / rounds) }, (_, at) =>
                  all.slice(at * rounds, (at + 1) * rounds),
                )
        const made = expected.length === 0 || (rounds !== 'pulled' && all.length === 0) ? [[]] : expected
        const begun = failing === undefined || failing >= made.length ? made : made.slice(0, failing + 1)
        const isFailed = begun.length <= (failing ?? Infinity) ? false : true
        let round = 0
        const nodes = sources.map(([some, how]) => new ModelInlet(some, how))
        const outlet = new KeepOutlet()
        const link = new Link({
          interval: 1,
          inlets: nodes,
          outlets: outlet,
          rounds,
          processors: (records) => {
            if (round++ === failing) throw new Error('no')
            return records
          },
        })
        const report = await link.transfer()
        const good = isFailed ? begun.slice(0, -1) : begun
        t.strictSame(
          outlet.payloads,
          good.filter(({ length }) => length > 0),
        )
        const { pulled: count, added, filtered, dropped, grouped, buffered } = report
        t.equal(count + added, filtered + dropped + grouped + buffered)
        t.match(report, { rounds: begun.length, failed: isFailed, grouped: good.flat().length })
        for (const inlet of nodes) {
          t.equal(inlet.told.length, 1)
          t.equal(inlet.told[0]?.[0], !isFailed)
          if (rounds === 'pulled' && steps > 0) {
            t.strictSame(inlet.told[0]?.[1], { rounds: begun.length, deliveredRounds: good.length })
          }
        }
      }),
      { numRuns: 60 },
    )
  },
)
