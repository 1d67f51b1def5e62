import type { PoolClient, PoolConfig } from 'pg'
import type { Pg } from './driver.js'

/** Longest time that a request to cancel may take, in milliseconds. */
const LONGEST = 1000

/**
 * Asks the server to cancel what a connection does, by a connection for that alone. Resolves when the server has closed
 * it, or it is of no use. Never rejects.
 */
export async function cancelOnServer(pg: Pg, config: PoolConfig, client: PoolClient, timeout: number): Promise<void> {
  const { processID, secretKey } = client as unknown as { readonly processID?: number; readonly secretKey?: number }
  if (processID === undefined || secretKey === undefined) return
  const { host, port } = client
  const canceller = new pg.Connection({ ssl: config.ssl }) as InstanceType<Pg['Connection']> & Canceller
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => canceller.stream.destroy(), Math.min(timeout, LONGEST))
    const send = () => {
      canceller.cancel(processID, secretKey)
    }
    canceller.on('connect', () => {
      if (config.ssl) canceller.requestSsl()
      else send()
    })
    canceller.on('sslconnect', send)
    canceller.on('error', () => canceller.stream.destroy())
    canceller.on('end', () => {
      clearTimeout(timer)
      resolve()
    })
    if (host.startsWith('/')) canceller.connect(`${host}/.s.PGSQL.${port}`)
    else canceller.connect(port, host)
  })
}

/** What a connection of the driver can do beside what its types say. */
interface Canceller {
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processID: number, secretKey: number): void
}
