import { importLater } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'
import { loadOptional } from '../../base/optional-packages.js'
import { Warnings } from '../../base/warnings.js'
import { Outlet, type MetadataKey } from '../../core/outlet.js'
import type { Record } from '../../core/record.js'
import type { Update } from '../../core/update.js'
import { PostgresConnection } from './client.js'
import { COPY_DRIVER } from './copy-driver.js'
import { shownTable } from './identifiers.js'
import {
  resolveOutletOptions,
  TABLE_KEY,
  type PostgresOutletOptions,
  type PostgresOutletSettings,
} from './outlet/outlet-options.js'
import type { Pushing } from './outlet/pushing.js'

const importPush = () => import('./outlet/push.js')

/** Code of the pushes, and what they share. */
interface Loaded {
  readonly code: typeof import('./outlet/push.js')
  readonly pushing: Pushing
}

/**
 * Writes records to a table of PostgreSQL: each record is a row, and its fields are columns. Needs the package pg:
 * `npm install pg@^8.16.0`, and for the mode `copy` also pg-copy-streams: `npm install pg-copy-streams@^7.0.0`.
 *
 * A record can choose its table in its metadata, under {@link PostgresOutlet.POSTGRES_TABLE}.
 *
 * A batch is one transaction: a transfer that is stopped leaves nothing half. Each row is stored once, however often the
 * connection breaks: when it breaks at the COMMIT, the server is asked whether that was made. A column that a record leaves
 * out takes its default.
 *
 * A row that cannot be stored (a value that does not fit, a constraint, a trigger that raises) is refused, and the others are
 * stored: `push` then rejects with a {@link PartialPushError}.
 */
export class PostgresOutlet extends Outlet {
  /** Metadata key: table to write to. */
  static readonly POSTGRES_TABLE: MetadataKey = TABLE_KEY

  /** Whether payloads are only read: not where a class that extends this one has a push of its own. */
  // eslint-disable-next-line @typescript-eslint/unbound-method -- they are compared, not called
  override readonly readsOnly: boolean = Object.is(this.push, PostgresOutlet.prototype.push)
  readonly #settings: PostgresOutletSettings
  readonly #connection: PostgresConnection
  readonly #warnings = new Warnings(() => getLogger('databay.PostgresOutlet'))
  #loaded: Loaded | undefined

  /** @throws {@link InvalidOptionError} */
  constructor(options: PostgresOutletOptions) {
    const settings = resolveOutletOptions(options)
    super(options)
    this.#settings = settings
    this.#connection = new PostgresConnection('PostgresOutlet', settings.connection)
  }

  /**
   * Connects.
   *
   * @throws {@link DatabaseError} when the server cannot be reached, or refuses the credentials
   */
  override async onStart(): Promise<void> {
    const { code, pushing } = await this.#load()
    await this.#connection.open()
    await code.describeOwn(pushing)
  }

  /** Disconnects when running pushes have ended; a cancelled push has a second to hear from the server. */
  override async onShutdown(): Promise<void> {
    await this.#connection.close()
    this.#warnings.end('PostgresOutlet')
  }

  override saveState(): unknown {
    return undefined
  }

  /**
   * Writes a batch.
   *
   * @throws {@link PartialPushError} when some records were not taken
   * @throws {@link DatabaseError} when none were taken, for one reason: not connected, or the server cannot be reached
   */
  push(records: Record[], update: Update): Promise<void> {
    return this.#connection.use(async () => {
      // loaded when the outlet connected: payloads are read before the first wait, as they are no copies
      const { code, pushing } = this.#loaded ?? (await this.#load())
      await code.pushRecords(pushing, records, update)
    })
  }

  override toString(): string {
    return `${this.constructor.name}(${shownTable(this.#settings.table)})`
  }

  /** Loads the code of pushes when the outlet first connects: every thread loads the outlet, and most threads run none. */
  async #load(): Promise<Loaded> {
    if (this.#loaded !== undefined) return this.#loaded
    const code = await importLater(importPush)
    const copy = this.#settings.mode === 'copy' ? await loadOptional(COPY_DRIVER, 'PostgresOutlet') : undefined
    const [settings, connection, warnings] = [this.#settings, this.#connection, this.#warnings]
    return (this.#loaded = {
      code,
      pushing: { settings, connection, warnings, copy, known: new Map(), doubts: new Map() },
    })
  }
}
