import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import type { Agent } from 'undici'
import { FileError, toError } from '../errors.js'
import { loadOptional } from '../optional.js'
import type { HttpRequest } from './http-request.js'

/** How long an idle connection is kept, in milliseconds: longer than usual intervals, shorter than servers keep it. */
const KEEP_ALIVE = 30_000

/** An agent of an inlet's own, which keeps connections between pulls, and what makes requests through it. */
export interface Connection {
  readonly agent: Agent
  readonly request: typeof import('undici').request
}

export async function openConnection(request: HttpRequest, cacert: string | undefined): Promise<Connection> {
  const undici = await loadOptional('undici', 'HttpInlet')
  const secureContext = cacert === undefined ? undefined : await trust(cacert)
  const agent = new undici.Agent({
    // made once: reading all certificates takes longer than a request
    connect: { timeout: request.connectTimeout, ...(secureContext && { secureContext }) },
    headersTimeout: request.headersTimeout,
    bodyTimeout: request.bodyTimeout,
    keepAliveTimeout: KEEP_ALIVE,
  })
  return { agent, request: undici.request }
}

/** Trusts the authorities in a file in addition to those built in, which `ca` alone would replace. */
async function trust(cacert: string): Promise<SecureContext> {
  try {
    const bundle = await readFile(cacert, 'utf8')
    // without this check, a file without a certificate would be ignored
    new X509Certificate(bundle)
    return createSecureContext({ ca: [...rootCertificates, bundle] })
  } catch (cause) {
    throw new FileError(cacert, `HttpInlet: cannot use the certificates in ${cacert}: ${toError(cause).message}`, {
      cause,
    })
  }
}
