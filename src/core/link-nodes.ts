import { InvalidNodeError, show, sortOf, toError } from '../base/errors.js'
import { isInlet } from './inlet.js'
import { nodeName, type Node } from './node.js'
import { Releasers } from '../base/undo-stack.js'
import { getLogger } from '../base/log.js'
import { isOutlet } from './outlet.js'
import { blame } from './report.js'

/** Stops the nodes, the last one first, all of them even when some fail. Resolves with the errors. */
export function stopNodes(nodes: Iterable<Node>): Promise<unknown[]> {
  const releasers = new Releasers()
  for (const node of nodes) {
    releasers.push(() =>
      node.tryShutdown().catch((thrown: unknown) => {
        throw blame(thrown, nodeName(node), 'shutdown')
      }),
    )
  }
  return releasers.undo()
}

export function throwErrors(errors: readonly unknown[]): void {
  if (errors.length > 0) throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'several nodes failed')
}

/** For errors that come on top of one that is thrown. */
export function logErrors(errors: readonly unknown[]): void {
  for (const thrown of errors) {
    getLogger('databay.Link').error({ err: toError(thrown) }, 'a node failed to shut down')
  }
}

/** The `nodes`, once it is clear that they can be put in the `list`. */
export function checkNew<N extends Node>(
  kind: string,
  list: readonly Node[],
  nodes: N[],
  is: (value: unknown) => boolean,
): N[] {
  nodes.forEach((node, index) => {
    const name = `${kind}s[${index}]`
    if (!is(node)) throw new InvalidNodeError(`${name}: expected an ${kind}, got ${describe(node)}`)
    if (list.includes(node) || nodes.indexOf(node) !== index) {
      throw new InvalidNodeError(`${name}: ${nodeName(node)} is in this link already`)
    }
  })
  return nodes
}

/** Without what an object holds, which may be secret. */
export function describe(node: unknown): string {
  if (isInlet(node) || isOutlet(node)) return nodeName(node)
  return typeof node === 'object' ? sortOf(node) : show(node)
}
