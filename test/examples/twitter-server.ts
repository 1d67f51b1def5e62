import type { Test } from 'tap'
import { serve } from '../helpers/servers.js'

export const TOKEN = 'your-token'
const USER_ID = '2244994945'

/** Unusual answer to a request. */
interface Fault {
  readonly status: number
  readonly headers?: { readonly [name: string]: string }
}

/** Starts a server with the part of version 2 of Twitter's API that the example uses: a user's id, and tweets in pages. */
export async function twitter(t: Test, pageSize = 100) {
  /** Tweets of `some_user`, oldest first. */
  const tweets: { id: string; text: string }[] = []
  const requests: URL[] = []
  /** Unusual answers, one for each request; `undefined` for the usual one. */
  const faults: (Fault | undefined)[] = []

  const { url } = await serve(t, (request, response) => {
    const asked = new URL(request.url ?? '/', 'http://localhost')
    requests.push(asked)
    const fault = faults.shift() ?? (request.headers.authorization === `Bearer ${TOKEN}` ? undefined : { status: 401 })
    if (fault !== undefined) {
      response.writeHead(fault.status, fault.headers).end(JSON.stringify({ title: 'Problem', status: fault.status }))
      return
    }
    response.setHeader('content-type', 'application/json; charset=utf-8')
    const body =
      asked.pathname === '/2/users/by/username/some_user'
        ? { data: { id: USER_ID, name: 'Some User', username: 'some_user' } }
        : asked.pathname === `/2/users/${USER_ID}/tweets`
          ? page(asked.searchParams)
          : { errors: [{ title: 'Not Found Error', detail: 'Could not find user', value: asked.pathname }] }
    response.end(JSON.stringify(body))
  })

  function page(query: URLSearchParams) {
    const since = BigInt(query.get('since_id') ?? 0)
    const found = tweets.filter(({ id }) => BigInt(id) > since).reverse()
    const size = Math.min(pageSize, Number(query.get('max_results') ?? 10))
    const from = Number(query.get('pagination_token') ?? 0)
    const data = found.slice(from, from + size)
    if (data.length === 0) return { meta: { result_count: 0 } }
    const more = from + size < found.length ? { next_token: String(from + size) } : {}
    return { data, meta: { result_count: data.length, newest_id: data[0]?.id, oldest_id: data.at(-1)?.id, ...more } }
  }

  /** Adds tweets, whose ids are too large to be exact as numbers. */
  const tweet = (...texts: string[]) => {
    for (const text of texts) tweets.push({ id: String(1_850_000_000_000_000_000n + BigInt(tweets.length)), text })
  }
  return { url, tweet, requests, faults }
}
