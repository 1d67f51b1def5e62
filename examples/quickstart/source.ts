import { FeedServer } from './feed-server.js'
import { readFeedFile, type Feature } from './feed.js'
import { PARTS } from './parts.js'
import { FEED_FILE } from './paths.js'
import { Replay } from './replay.js'

/** Where the links poll. */
export interface Source {
  readonly url: string
  /** Resolves when there is nothing new to come; never for a live feed. */
  readonly exhausted: Promise<void>
  /** How much of the feed the links were served, from 0 to 1; `undefined` for a live feed. */
  readonly progress: number | undefined
  /** All that the feed will have shown; `undefined` for a live feed. */
  readonly features: readonly Feature[] | undefined
  close(): Promise<void>
}

/** The recorded feed, served on this machine. */
export async function openReplay(): Promise<Source> {
  const { features } = await readFeedFile(FEED_FILE)
  const server = new FeedServer(new Replay(features), PARTS)
  return {
    url: await server.start(),
    exhausted: server.exhausted,
    get progress() {
      return server.progress
    },
    features,
    close: () => server.close(),
  }
}

/** A feed elsewhere. */
export function openLive(url: string): Source {
  return {
    url,
    exhausted: new Promise(() => undefined),
    progress: undefined,
    features: undefined,
    close: () => Promise.resolve(),
  }
}
