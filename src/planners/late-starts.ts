import { toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import type { PlannedLink } from '../core/planned-link.js'

/** Starts that were given up and have not ended, by their link. */
const givenUp = new WeakMap<PlannedLink, Promise<void>>()

/**
 * Begins to start a link, also one of a third party that throws. When a start of it was given up and goes on, the link is
 * wanted again: it is not shut down when that ends.
 */
export function begin(link: PlannedLink): Promise<void> {
  givenUp.delete(link)
  try {
    return Promise.resolve(link.onStart())
  } catch (thrown) {
    return Promise.reject(toError(thrown))
  }
}

/** Gives up a start that takes too long: should it end after all, the link is shut down, unless it is started again. */
export function giveUp(link: PlannedLink, starting: Promise<void>): void {
  givenUp.set(link, starting)
  /** Forgets the start. Gives whether it is given up still. */
  const forget = () => givenUp.get(link) === starting && givenUp.delete(link)
  starting
    .then(
      () => (forget() ? link.onShutdown() : undefined),
      (thrown: unknown) => {
        if (forget()) throw toError(thrown)
      },
    )
    .catch((thrown: unknown) => {
      const err = toError(thrown)
      getLogger('databay.BasePlanner').error(
        { err },
        `${link.name} failed after its start was given up: ${err.message}`,
      )
    })
}

/** Whether a start of a link was given up and has not ended. */
export function isGivenUp(link: PlannedLink): boolean {
  return givenUp.has(link)
}
