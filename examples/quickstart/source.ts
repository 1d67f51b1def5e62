import { FeedServer } from './feed-server.js'
import { readFeedFile, type Feature } from './feed.js'
import { PARTS } from './parts.js'
import { FEED_FILE } from './paths.js'
import { Replay } from './replay.js'

/** Feed that the links poll. */
export interface Source {
  readonly url: string
  /** Resolves when nothing new is to come; never for a live feed. */
  readonly exhausted: Promise<void>
  /** Share of the feed that the links were served, from 0 to 1; `undefined` for a live feed. */
  readonly progress: number | undefined
  /** All events that the feed shows in the end; `undefined` for a live feed. */
  readonly features: readonly Feature[] | undefined
  close(): Promise<void>
}

/** Serves the recorded feed on this machine. */
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

/** Takes a feed elsewhere. */
export function openLive(url: string): Source {
  return {
    url,
    exhausted: new Promise(() => undefined),
    progress: undefined,
    features: undefined,
    close: () => Promise.resolve(),
  }
}
