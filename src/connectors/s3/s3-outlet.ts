import { importLater } from '../../base/libraries.js'
import { Outlet, type MetadataKey } from '../../core/outlet.js'
import type { Record } from '../../core/record.js'
import type { Update } from '../../core/update.js'
import { S3Connection } from './client.js'
import { KeyTemplate } from './outlet/key-template.js'
import { KEY_KEY, resolveOutletOptions, type S3OutletOptions, type S3OutletSettings } from './outlet/outlet-options.js'
import type { Pushes } from './outlet/push.js'

const importPush = () => import('./outlet/push.js')

/**
 * Writes records as objects of a bucket of S3, or of a storage that works like it. Needs the packages aws4fetch and undici:
 * `npm install aws4fetch@^1.0.20 undici@^7.20.0`.
 *
 * An object holds the records of a batch, or with `object: 'transfer'` those of a whole transfer. It is there as a whole or not
 * at all. A record can choose the key of its object in its metadata, under {@link S3Outlet.S3_KEY}.
 *
 * A record that cannot be written is refused, and the others are stored: `push` then rejects with a {@link PartialPushError}.
 */
export class S3Outlet extends Outlet {
  /** Metadata key: key of the object that the record goes to. */
  static readonly S3_KEY: MetadataKey = KEY_KEY

  /** Whether payloads are only read: not where a class that extends this one has a push of its own. */
  // eslint-disable-next-line @typescript-eslint/unbound-method -- they are compared, not called
  override readonly readsOnly: boolean = Object.is(this.push, S3Outlet.prototype.push)
  override readonly replacesContent: boolean
  override readonly endsTransfers: boolean
  readonly #settings: S3OutletSettings
  readonly #connection: S3Connection
  /** Pushes, once their code is loaded. */
  #pushes: Pushes | undefined

  /** @throws {@link InvalidOptionError} */
  constructor(options: S3OutletOptions) {
    const settings = resolveOutletOptions(options)
    super(options)
    const { key, object } = settings
    this.#settings = settings
    this.replacesContent =
      key instanceof KeyTemplate && !key.ofPayload && !key.fields.has('uid') && !key.fields.has('hash')
    this.endsTransfers = object === 'transfer'
    this.#connection = new S3Connection('S3Outlet', settings.connection)
  }

  /** @throws {@link S3Error} when the storage cannot be reached, does not take the credentials, or has no such bucket */
  override async onStart(): Promise<void> {
    await this.#load()
    await this.#connection.open()
  }

  override async onShutdown(): Promise<void> {
    await this.#pushes?.close()
    await this.#connection.close()
  }

  override saveState(): unknown {
    return undefined
  }

  /**
   * Writes a batch.
   *
   * @throws {@link PartialPushError} when some records were not taken
   * @throws {@link S3Error} when none were taken, for one reason: not started, or the storage cannot be reached
   */
  push(records: Record[], update: Update): Promise<void> {
    return this.#connection.use(async () => {
      // loaded by the start: payloads are read before the first wait, as they are no copies
      const pushes = this.#pushes ?? (await this.#load())
      await pushes.push(records, update)
    })
  }

  /** With `object: 'transfer'`, completes the objects of a transfer, or gives them up when it is not complete. */
  override async onLastRound(update: Update, isComplete: boolean): Promise<number> {
    const pushes = this.#pushes
    if (pushes === undefined || !this.endsTransfers) return 0
    return this.#connection.use(() => pushes.end(update, isComplete))
  }

  /** Whether what a transfer pushed so far is in objects that are there. */
  override keepsRounds(): boolean {
    return !this.endsTransfers
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#connection.where})`
  }

  /** Loads the code of pushes at the first start: every thread loads the outlet, and most threads run none. */
  async #load(): Promise<Pushes> {
    const { Pushes } = await importLater(importPush)
    return (this.#pushes ??= new Pushes(this.#settings, this.#connection))
  }
}
