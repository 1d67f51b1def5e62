import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Pool, PoolConfig } from 'pg'
import type { Pg } from './driver.js'

/** Time for which closing waits for the server to let go of its connections, in milliseconds. */
const GRACE = 1000

/** A pool of connections, and the driver that they come from. */
export interface Session {
  readonly pg: Pg
  readonly pool: Pool
  readonly config: PoolConfig
  /** Connections that are open. */
  readonly clients: ReadonlySet<Client>
}

/** Makes a pool, which connects when it is used. */
export function makeSession(pg: Pg, config: PoolConfig): Session {
  const clients = new Set<Client>()
  const pool = new pg.Pool({ ...config, Client: clientClass(pg, clients) })
  // of connections that break while nobody uses them: the next use makes others
  pool.on('error', () => undefined)
  return { pg, pool, config, clients }
}

/**
 * Class of the clients of a pool.
 *
 * @param clients - to have those in it that are open
 */
function clientClass(pg: Pg, clients: Set<Client>): typeof Client {
  return class extends pg.Client {
    constructor(config?: PoolConfig) {
      super(config)
      clients.add(this)
      // who uses it hears of what is wrong from its statement
      this.on('error', () => undefined)
      this.once('end', () => clients.delete(this))
    }

    /** Connects. The driver would leave the socket open when the server asks for what it does not have. */
    override connect(callback?: unknown): Promise<Client> {
      const connecting = super.connect().catch((error: unknown) => {
        this.connection.stream.destroy()
        clients.delete(this)
        throw error
      })
      if (typeof callback === 'function') {
        const tell = callback as (error: unknown, client?: Client) => void
        connecting.then(
          () => {
            tell(null, this)
          },
          (error: unknown) => {
            tell(error)
          },
        )
      }
      return connecting
    }
  }
}

/** Ends all connections. Those whose server does not answer are cut off. */
export async function endSession({ pool, clients }: Session): Promise<void> {
  const enough = new AbortController()
  const ended = pool.end()
  const late = delay(GRACE, undefined, { signal: enough.signal }).catch(() => undefined)
  await Promise.race([ended, late])
  enough.abort()
  for (const client of clients) client.connection.stream.destroy()
}
