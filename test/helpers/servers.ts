import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import path from 'node:path'
import type { Test } from 'tap'

/** Starts an HTTP server on loopback, which closes when the test ends. */
export async function serve(t: Pick<Test, 'teardown'>, listener: RequestListener) {
  const server = createServer(listener)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://127.0.0.1:${await listen(server)}` }
}

/** Certificate of a server with its key: path of the certificate, and both as text. */
export interface Identity {
  readonly file: string
  readonly cert: string
  readonly key: string
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes a certificate for `localhost` that signs itself, with openssl; gives `undefined` where openssl is missing. */
export function makeCertificate(folder: string, name = 'localhost'): Identity | undefined {
  return makeIdentity(folder, name, ['req', '-x509', '-days', '2', '-addext', 'subjectAltName=DNS:localhost', ...KEY])
}

/** Makes a certificate for `localhost` that an authority has signed. */
export function signedBy(folder: string, authority: Identity, name: string): Identity {
  const request = path.join(folder, `${name}.csr`)
  const extensions = path.join(folder, `${name}.ext`)
  writeFileSync(extensions, 'subjectAltName=DNS:localhost\n')
  const key = path.join(folder, `${name}.key`)
  const signing = ['-CA', authority.file, '-CAkey', authority.file.replace(/crt$/, 'key'), '-CAcreateserial']
  const cert = path.join(folder, `${name}.crt`)
  const steps = [
    ['req', '-new', ...KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', request],
    ['x509', '-req', '-days', '2', '-in', request, ...signing, '-extfile', extensions, '-out', cert],
  ]
  for (const step of steps) {
    const { status, stderr } = spawnSync('openssl', step, { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }
  return { file: cert, cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

function makeIdentity(folder: string, name: string, command: readonly string[]): Identity | undefined {
  const cert = path.join(folder, `${name}.crt`)
  const key = path.join(folder, `${name}.key`)
  const made = spawnSync('openssl', [...command, '-subj', `/CN=${name}`, '-keyout', key, '-out', cert])
  if (made.status !== 0) return undefined
  return { file: cert, cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

/** Counts the connections of a server: all so far, and those still open. */
export function countConnections(server: Server) {
  const count = { made: 0, open: 0 }
  const gone: (() => void)[] = []
  server.on('connection', (socket) => {
    count.made++
    count.open++
    socket.on('close', () => {
      count.open--
      if (count.open === 0) for (const resolve of gone.splice(0)) resolve()
    })
  })
  /** Waits until no connection is open. */
  const allClosed = () => (count.open === 0 ? Promise.resolve() : new Promise<void>((resolve) => gone.push(resolve)))
  return { count, allClosed }
}

/** Starts a server with TLS on localhost, which closes when the test ends. */
export async function serveTls(t: Test, identity: { cert: string; key: string }, listener: RequestListener) {
  const server = createTlsServer(identity, listener)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `https://localhost:${await listen(server)}` }
}

/** Has a server listen on a free port of loopback; gives the port. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
