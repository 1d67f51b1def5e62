import { LinkModuleError } from '../../base/errors.js'
import type { Link } from '../../core/link.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import { type LinkAddress, nameOf } from '../protocol/link-description.js'
import type { LinksByName } from './loaded-modules.js'

/** A link that is open in this thread. */
export interface HostedLink {
  readonly link: Link
  /** Told when the thread enters the link's code and when it leaves it. */
  readonly inside: (inside: boolean) => void
  /** How long its last transfer held the event loop, in milliseconds. */
  busy: number
  /** Which of its transfers were told to stop: some may come only then. */
  stopped: { readonly upTo: number; readonly reason: Error } | undefined
}

/** @throws {@link LinkModuleError} when it is not there */
export function find(links: LinksByName, { module, exportName, index }: LinkAddress): Link {
  const name = nameOf(exportName, index)
  const found = links.get(name)
  if (found === undefined) {
    throw new LinkModuleError(module, `exports no link ${name} in this thread, as it did in another`)
  }
  return found.link
}

/** Starts a link; one of another version of this package has only `onStart`. */
export function start(link: Link): MaybePromise<void> {
  return 'startNow' in link ? link.startNow() : (link as Link).onStart()
}
