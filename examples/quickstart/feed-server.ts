import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Feature, FeatureCollection } from './feed.js'
import type { Replay, Shown } from './replay.js'

/**
 * Server of a replayed feed on this machine, as `/<part>/all_day.geojson`. Each part sees the replay from its beginning, a
 * step further with each poll, however fast the others are: so a part sees the same in every run.
 */
export class FeedServer {
  /** Resolves when each part has been served the last step. */
  readonly exhausted: Promise<void>
  readonly #replay: Replay
  /** Number of polls of each part so far. */
  readonly #polls: Map<string, number>
  /** Parts that have not been served the last step. */
  readonly #hungry: Set<string>
  readonly #server: Server
  // events become JSON once: so serving takes next to no time of this thread
  readonly #json = new Map<Feature, string>()
  #exhaust: () => void = () => undefined

  /** @param parts - names of the parts that may poll; others are not served */
  constructor(replay: Replay, parts: readonly string[]) {
    this.#replay = replay
    this.#polls = new Map(parts.map((part) => [part, 0]))
    this.#hungry = new Set(parts)
    this.#server = createServer((request, response) => this.#serve(request, response))
    this.exhausted = new Promise((resolve) => {
      this.#exhaust = resolve
    })
  }

  /**
   * Starts serving.
   *
   * @returns URL of the feed; `{part}` in it stands for the part
   */
  async start(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}/{part}/all_day.geojson`
  }

  /** Stops serving at once. */
  async close(): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve)
      this.#server.closeAllConnections()
    })
  }

  /** Share of the feed that all parts together have been served, from 0 to 1. */
  get progress(): number {
    const { polls } = this.#replay
    const made = [...this.#polls.values()].reduce((sum, count) => sum + Math.min(count, polls), 0)
    return made / (polls * this.#polls.size)
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const part = /^\/([a-z]+)\/all_day\.geojson$/.exec(request.url ?? '')?.[1] ?? ''
    const before = this.#polls.get(part)
    if (before === undefined) {
      response.writeHead(404).end()
    } else if (request.method !== 'GET') {
      response.writeHead(405, { allow: 'GET' }).end()
    } else {
      const poll = before + 1
      this.#polls.set(part, poll)
      response.on('finish', () => {
        if (poll >= this.#replay.polls) this.#served(part)
      })
      response
        .writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
        .end(this.#body(this.#replay.at(poll)))
    }
  }

  #served(part: string): void {
    this.#hungry.delete(part)
    if (this.#hungry.size === 0) this.#exhaust()
  }

  #body({ now, features }: Shown): string {
    const collection: FeatureCollection = {
      type: 'FeatureCollection',
      metadata: {
        generated: now,
        title: 'USGS All Earthquakes, Past Day (replayed)',
        count: features.length,
      },
      features: [],
    }
    const list = features.map((feature) => this.#jsonOf(feature)).join(',')
    return JSON.stringify(collection).replace(/\]\}$/, () => `${list}]}`)
  }

  #jsonOf(feature: Feature): string {
    let json = this.#json.get(feature)
    if (json === undefined) {
      json = JSON.stringify(feature)
      this.#json.set(feature, json)
    }
    return json
  }
}
