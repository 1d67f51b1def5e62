import { getLogger, HttpInlet, type HttpInletOptions, type Update } from 'databay'
import type { FeatureCollection } from './feed.js'

/** Number of polls in a row that may fail. */
const MOST_FAILURES = 10

/**
 * An inlet that polls a feed. A poll that fails is left out, as the next one shows the same events and more. But the first
 * poll may not fail, as its URL may be wrong, and not many polls in a row.
 */
export class FeedInlet extends HttpInlet<FeatureCollection> {
  #mayFail = 0

  constructor(url: string, options: HttpInletOptions = {}) {
    // a poll is not tried again: the next one is soon
    super(url, { retry: { retries: 0 }, ...options })
  }

  override async pull(update: Update): Promise<Awaited<ReturnType<HttpInlet<FeatureCollection>['pull']>>> {
    try {
      const feed = await super.pull(update)
      this.#mayFail = MOST_FAILURES
      return feed
    } catch (error) {
      if (update.signal.aborted || this.#mayFail === 0) throw error
      this.#mayFail--
      getLogger('databay.FeedInlet').warn({ err: error }, `${String(update)} left a poll out`)
      return []
    }
  }
}
