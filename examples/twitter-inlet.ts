/**
 * An inlet for a service with pages, a limit of requests and a secret: the new tweets of a user, by version 2 of
 * Twitter's API. Needs `npm install undici@^7.20`.
 */
import { getLogger, Inlet, Link, PrintOutlet, type InletOptions, type Update } from 'databay'
import { request } from 'undici'

export interface Tweet {
  readonly id: string
  readonly user: string
  readonly text: string
}

/** Page of a user's tweets, newest first, as far as this inlet needs it. */
interface Page {
  readonly data?: readonly { readonly id: string; readonly text: string }[]
  readonly meta: { readonly next_token?: string }
}

/** The limit of requests is reached until `resetAt`. */
class RateLimitError extends Error {
  readonly resetAt: Date

  constructor(resetAt: Date) {
    super(`no more requests until ${resetAt.toISOString()}`)
    this.resetAt = resetAt
  }
}

export class TwitterInlet extends Inlet<Tweet> {
  readonly #user: string
  readonly #token: string
  readonly #url: string
  #userId: string | undefined
  #newestId: string | undefined
  #limitedUntil = new Date(0)
  #lastPull: Promise<unknown> = Promise.resolve()

  /**
   * @param user - name of the user, without the `@`
   * @param token - bearer token; it is only ever sent, never logged or attached to a record
   */
  constructor(user: string, token: string, url = 'https://api.x.com', options?: InletOptions) {
    super(options)
    this.#user = user
    this.#token = token
    this.#url = url
  }

  /** Pulls new tweets. Links that share the inlet take turns, so that no tweet goes to two of them. */
  pull(update: Update): Promise<Tweet[]> {
    const pulled = this.#lastPull.then(() => this.#pull(update))
    this.#lastPull = pulled.catch(() => undefined) // the next turn comes all the same
    return pulled
  }

  async #pull(update: Update): Promise<Tweet[]> {
    if (Date.now() < this.#limitedUntil.getTime()) return []
    try {
      return await this.#newTweets(update.signal)
    } catch (error) {
      if (!(error instanceof RateLimitError)) throw error
      // nothing is lost: the tweets come with a later transfer
      this.#limitedUntil = error.resetAt
      getLogger('databay.TwitterInlet').warn(`${String(update)} ${error.message}`)
      return []
    }
  }

  /** Hands over the id of the newest tweet when the link moves to another thread. */
  override saveState(): unknown {
    return this.#newestId
  }

  override restoreState(state: unknown): void {
    if (typeof state === 'string') this.#newestId = state
  }

  /** Gets all tweets since the last pull, oldest first. The first time, the latest hundred. */
  async #newTweets(signal: AbortSignal): Promise<Tweet[]> {
    this.#userId ??= await this.#findUser(signal)
    const tweets: Tweet[] = []
    let next: string | undefined
    do {
      const query = { max_results: '100', since_id: this.#newestId, pagination_token: next }
      const { data = [], meta } = (await this.#get(`/2/users/${this.#userId}/tweets`, query, signal)) as Page
      for (const { id, text } of data) tweets.push({ id, user: this.#user, text })
      next = meta.next_token
    } while (next !== undefined && this.#newestId !== undefined)
    // not before the last page is here: when one fails, the next transfer asks for all of them again
    this.#newestId = tweets[0]?.id ?? this.#newestId
    return tweets.reverse()
  }

  async #findUser(signal: AbortSignal): Promise<string> {
    const path = `/2/users/by/username/${encodeURIComponent(this.#user)}`
    const { data } = (await this.#get(path, {}, signal)) as { data?: { id: string } }
    if (data === undefined) throw new Error(`Twitter knows no user ${this.#user}`)
    return data.id
  }

  async #get(path: string, query: { [name: string]: string | undefined }, signal: AbortSignal): Promise<unknown> {
    const url = new URL(path, this.#url)
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
    const response = await request(url, { headers: { authorization: `Bearer ${this.#token}` }, signal })
    if (response.statusCode === 200) return response.body.json()

    await response.body.dump() // frees the connection
    if (response.statusCode !== 429) throw new Error(`Twitter answered ${response.statusCode} for ${path}`)
    const resetAt = Number(response.headers['x-rate-limit-reset']) * 1000 // the header is in seconds since 1970
    throw new RateLimitError(new Date(resetAt > 0 ? resetAt : Date.now() + 15 * 60_000))
  }
}

const { TWITTER_BEARER_TOKEN, TWITTER_URL, TWITTER_USER } = process.env
if (TWITTER_BEARER_TOKEN === undefined) throw new Error('TWITTER_BEARER_TOKEN is not set')

export const tweets = new Link({
  inlets: new TwitterInlet(TWITTER_USER ?? 'nodejs', TWITTER_BEARER_TOKEN, TWITTER_URL),
  outlets: new PrintOutlet({ onlyPayload: true, skipUpdate: true }),
  interval: { seconds: 30 }, // the API allows for few requests
  tags: 'twitter_timeline',
})
