import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import path from 'node:path'
import type { Test } from 'tap'

/** Serves on loopback until the test ends. */
export async function serve(t: Test, listener: RequestListener) {
  const server = createServer(listener)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://127.0.0.1:${await listen(server)}` }
}

/** A certificate for `localhost` that is its own authority, made with openssl; `undefined` where that is missing. */
export function makeCertificate(folder: string, name = 'localhost') {
  const cert = path.join(folder, `${name}.crt`)
  const key = path.join(folder, `${name}.key`)
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
  ])
  if (made.status !== 0) return undefined
  return { file: cert, cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

/** Serves with TLS on localhost until the test ends. */
export async function serveTls(t: Test, identity: { cert: string; key: string }, listener: RequestListener) {
  const server = createTlsServer(identity, listener)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `https://localhost:${await listen(server)}` }
}

/** Starts listening on a free port, and resolves with it. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
