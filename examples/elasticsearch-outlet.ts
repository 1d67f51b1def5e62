/**
 * An outlet for a service, with the service's own client: indexes documents in Elasticsearch. Needs that client:
 * `npm install @elastic/elasticsearch@^8`.
 */
import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, errors, type ClientOptions } from '@elastic/elasticsearch'
import { getLogger, Inlet, Link, Outlet, PartialPushError } from 'databay'
import type { OutletOptions, Record, RejectedRecord, Update } from 'databay'

export interface TextDocument {
  /** Id of the document in the index, so that a document that is sent again is not there twice. */
  readonly id: string
  readonly text: string
}

export interface ElasticsearchOutletOptions extends OutletOptions<TextDocument> {
  /**
   * Whether a document replaces the one that has its id, or is skipped.
   * @default true
   */
  readonly overwriteDocuments?: boolean
}

/** Outcome for one document: an HTTP status, and the reason. */
interface Outcome {
  readonly status: number
  readonly reason: string
}

/** Number of times that documents are sent again when the cluster is too busy. */
const RETRIES = 3
const CONFLICT = 409
const TOO_MANY_REQUESTS = 429

export class ElasticsearchOutlet extends Outlet<TextDocument> {
  readonly #cluster: ClientOptions
  readonly #index: string
  readonly #operation: 'index' | 'create'
  #client: Client | undefined

  constructor(cluster: ClientOptions, index: string, options: ElasticsearchOutletOptions = {}) {
    const { overwriteDocuments = true, ...outletOptions } = options
    super(outletOptions)
    this.#cluster = cluster
    this.#index = index
    this.#operation = overwriteDocuments ? 'index' : 'create'
  }

  /** Called once, in the thread of the link. When it fails, the planner does not start. */
  override async onStart(): Promise<void> {
    this.#client = new Client(this.#cluster)
    const exists = await this.#client.indices.exists({ index: this.#index })
    if (!exists) throw new Error(`the index '${this.#index}' does not exist`)
  }

  override async onShutdown(): Promise<void> {
    await this.#client?.close()
    this.#client = undefined
  }

  async push(records: Record<TextDocument>[], update: Update): Promise<void> {
    const log = getLogger('databay.ElasticsearchOutlet')
    const rejected: RejectedRecord[] = []
    let waiting = records.map(({ payload }, index) => ({ index, document: payload }))
    for (let attempt = 0; waiting.length > 0; attempt++) {
      // when told to stop, it does not wait, and the request fails at once
      if (attempt > 0) await delay(100 * 2 ** attempt, undefined, { signal: update.signal }).catch(() => undefined)
      const sent = waiting
      waiting = []
      const outcomes = await this.#bulk(sent, update.signal)
      for (const [at, entry] of sent.entries()) {
        const { id } = entry.document
        const { status, reason } = outcomes[at] ?? { status: 0, reason: 'nothing was said of it' }
        if (status >= 200 && status < 300) log.info(`${String(update)} Indexed document with id ${id}`)
        else if (status === CONFLICT && this.#operation === 'create')
          log.info(`${String(update)} Document already exists for id ${id}. Skipping.`)
        else if (status === TOO_MANY_REQUESTS && attempt < RETRIES) waiting.push(entry)
        else rejected.push({ index: entry.index, error: new Error(`document ${id}: ${reason}`) })
      }
    }
    // tells the transfer that the other records were taken
    if (rejected.length > 0)
      throw new PartialPushError('ElasticsearchOutlet', records.length - rejected.length, rejected)
  }

  /** Sends documents in one request. The client sends it again by itself when the connection breaks. */
  async #bulk(entries: readonly { document: TextDocument }[], signal: AbortSignal): Promise<Outcome[]> {
    if (this.#client === undefined) throw new Error('the outlet is not started')
    const operations = entries.flatMap(({ document: { id, text } }) => [
      { [this.#operation]: { _id: id } },
      { my_document: text },
    ])
    try {
      const { items } = await this.#client.bulk({ index: this.#index, operations }, { signal })
      return items.map((item) => {
        const { status = 0, error } = item[this.#operation] ?? {}
        return { status, reason: error === undefined ? `status ${status}` : `${error.type}: ${error.reason ?? ''}` }
      })
    } catch (error) {
      // a request that fails as a whole failed for each of its documents
      const status = error instanceof errors.ResponseError ? (error.statusCode ?? 0) : 0
      const reason = error instanceof Error ? error.message : String(error)
      return entries.map(() => ({ status, reason }))
    }
  }
}

/** An inlet that gives a random sentence at each transfer, with the next number as its id. */
class DummyTextInlet extends Inlet<TextDocument> {
  readonly #sentences: readonly string[]
  #id = 0

  constructor(sentences: readonly string[]) {
    super()
    this.#sentences = sentences
  }

  pull(): TextDocument {
    this.#id++
    return { id: String(this.#id), text: this.#sentences[randomInt(this.#sentences.length)] ?? '' }
  }
}

const TEXT = `Lorem ipsum dolor sit amet, consectetur adipiscing elit. Phasellus ex erat, viverra tincidunt tempus eget,
hendrerit sed ligula. Quisque mollis nibh in imperdiet porttitor. Nulla bibendum lacus et est lobortis porta.`

const { ELASTICSEARCH_URL, ELASTICSEARCH_API_KEY, ELASTICSEARCH_OVERWRITE } = process.env
const cluster: ClientOptions = {
  node: ELASTICSEARCH_URL ?? 'http://127.0.0.1:9200',
  ...(ELASTICSEARCH_API_KEY !== undefined && { auth: { apiKey: ELASTICSEARCH_API_KEY } }),
}

export const documents = new Link({
  inlets: new DummyTextInlet(TEXT.split('. ')),
  outlets: new ElasticsearchOutlet(cluster, 'my-test-index', {
    overwriteDocuments: ELASTICSEARCH_OVERWRITE !== 'false',
  }),
  interval: { seconds: 2 },
  tags: 'elasticsearch_outlet',
})
