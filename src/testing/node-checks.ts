import { inspect } from 'node:util'
import { toError } from '../base/errors.js'
import type { Node } from '../core/node.js'
import { claim } from './claims.js'
import { nameOf, type NodeHarness, type NodeSetup } from './node-harness.js'
import { leftOpen } from './open-resources.js'
import type { Check } from './runner.js'

/** Use of a node, a pull or a push. It fails unless all is well. */
export type Use<N, B> = (harness: B, node: N) => Promise<void>

/**
 * Checks of what inlets and outlets have in common.
 *
 * @param use - work of one transfer, of which only the end matters here
 */
export function nodeChecks<N extends Node, O, S extends NodeSetup<N, O>, B extends NodeHarness<N, O, S>>(
  use: Use<N, B>,
): Check<B>[] {
  return [
    {
      name: 'has a name for logs that does not change',
      holds: async (harness) => {
        const node = await harness.make()
        const name = `${nameOf(node)}.toString`
        const idle: unknown = await harness.calls.succeed(name, () => node.toString())
        claim(typeof idle === 'string' && idle !== '', `${name} gave ${inspect(idle)}: expected a text`)
        await harness.start(node)
        const active = node.toString()
        claim(active === idle, `${name} changed from ${idle} to ${active} by the start: records and logs go by it`)
      },
    },
    {
      name: 'can be started, shut down and started again',
      holds: async (harness) => {
        const node = await harness.make()
        for (let round = 1; round <= 2; round++) {
          await harness.start(node)
          claim(node.active, `${nameOf(node)}.active is false after start ${round}`)
          await use(harness, node)
          await harness.stop(node)
          claim(!node.active, `${nameOf(node)}.active is true after shutdown ${round}`)
        }
      },
    },
    {
      name: 'is shut down twice as well as once, and also when it was never started',
      holds: async (harness) => {
        const node = await harness.make()
        const again = (when: string) =>
          harness.calls.succeed(`${nameOf(node)}.onShutdown ${when}`, () => node.onShutdown())
        await again('before any start')
        await harness.start(node)
        await harness.stop(node)
        await again('after a shutdown')
      },
    },
    {
      name: 'is started and shut down once, however many links share it',
      holds: async (harness) => {
        const node = await harness.make()
        const counts = countCalls(node)
        await Promise.all([harness.start(node), harness.start(node)])
        const { onStart } = counts
        claim(onStart === 1, `${nameOf(node)}.onStart was called ${onStart} times for two links: expected once`)
        await harness.stop(node)
        const early = counts.onShutdown
        claim(early === 0 && node.active, `${nameOf(node)} was shut down while another link still uses it`)
        await use(harness, node)
        await harness.stop(node)
        const { onShutdown } = counts
        claim(
          onShutdown === 1,
          `${nameOf(node)}.onShutdown was called ${onShutdown} times for two links: expected once`,
        )
      },
    },
    {
      name: 'leaves nothing open when it is shut down',
      holds: async (harness) => {
        let name = ''
        const left = await leftOpen(async () => {
          const node = await harness.started()
          name = nameOf(node)
          await use(harness, node)
          await harness.stop(node)
        }, harness.setup.timeout)
        claim(left.length === 0, `${name} left something open after its shutdown: ${left.join(', ')}`)
      },
    },
  ]
}

/** Hands the state of a node to another one, as a move between threads does. Gives the state as it arrives. */
export async function handOffState<N extends Node, O, S extends NodeSetup<N, O>>(
  harness: NodeHarness<N, O, S>,
  from: N,
  to: N,
): Promise<unknown> {
  const save = `${nameOf(from)}.saveState`
  const saved: unknown = await harness.calls.succeed(save, () => from.saveState?.())
  if (saved === undefined) return undefined
  let state: unknown
  try {
    state = structuredClone(saved)
  } catch (error) {
    claim(false, `${save} gave what cannot be cloned: ${toError(error).message}`)
  }
  claim(
    to.restoreState !== undefined,
    `${nameOf(to)} has no restoreState, though saveState gave something: it would be lost`,
  )
  await harness.calls.succeed(`${nameOf(to)}.restoreState`, () => to.restoreState?.(state))
  return state
}

/** Claims that no place shows a secret. Each place has a name and a text. */
export function claimNoSecrets<N extends Node, O, S extends NodeSetup<N, O>>(
  harness: NodeHarness<N, O, S>,
  node: N,
  places: readonly (readonly [place: string, text: string])[],
): void {
  const logged = harness.log.map((line) => ['a log line', line] as const)
  for (const [index, secret] of harness.setup.secrets.entries()) {
    for (const [place, text] of [...places, ...logged]) {
      // without the secret itself, as this message goes into a log
      claim(!text.includes(secret), `${nameOf(node)} shows secrets[${index}] in ${place}`)
    }
  }
}

/** Text of everything that an error shows when it is logged. */
export function errorText(error: Error): string {
  return `${error.stack ?? error.message}\n${inspect(error, { depth: 6 })}`
}

function countCalls(node: Node): { onStart: number; onShutdown: number } {
  const counts = { onStart: 0, onShutdown: 0 }
  for (const name of ['onStart', 'onShutdown'] as const) {
    const original = node[name].bind(node)
    node[name] = () => {
      counts[name]++
      return original()
    }
  }
  return counts
}
