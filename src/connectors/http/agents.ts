import { readFile } from 'node:fs/promises'
import type { SecureContext } from 'node:tls'
import type { Agent, Dispatcher } from 'undici'
import { fileError, type FileError } from '../errors.js'
import { loadOptional, type OptionalPackage } from '../../base/optional-packages.js'

type Undici = typeof import('undici')

const UNDICI: OptionalPackage<Undici> = { name: 'undici', range: '^7', load: () => import('undici') }

/**
 * Time for which an idle connection is kept, in milliseconds: longer than usual intervals, shorter than servers keep
 * it.
 */
const KEEP_ALIVE = 30_000

/** Settings that tell one agent from another. */
export interface AgentSettings {
  /** Time to connect, in milliseconds. */
  readonly connectTimeout: number
  /** Path of a file of certificates to trust, in addition to the built-in ones of Node. */
  readonly cacert: string | undefined
}

/** Options of a request, apart from where it goes. */
export type SendOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path'>

/** Share in an agent. */
export interface Connection {
  send(url: URL, options: SendOptions): Promise<Dispatcher.ResponseData>
  /**
   * Gives the share back. The connections of an agent are closed with its last share. Closing twice has no further
   * effect.
   */
  close(): Promise<void>
}

/**
 * Agents of this thread, by their settings, so that inlets that poll one server share its connections. An agent stays
 * here from its first share to its last.
 */
const agents = new Map<string, { readonly agent: Agent; shares: number }>()

/**
 * Gives a share in the agent with these settings, which is created when there is none.
 *
 * @throws {@link FileError} when the certificates cannot be read
 */
export async function openConnection(settings: AgentSettings): Promise<Connection> {
  const { connectTimeout, cacert } = settings
  const undici = await loadOptional(UNDICI, 'HttpInlet')
  // the key has the content of the file, which may be replaced while agents are open
  const authorities = cacert === undefined ? undefined : await readAuthorities(cacert)
  const trust = authorities === undefined ? undefined : await trusting(cacert, authorities)
  const key = JSON.stringify([connectTimeout, authorities])
  const shared = agents.get(key) ?? { agent: makeAgent(undici, settings, trust), shares: 0 }
  agents.set(key, shared)
  shared.shares++
  let closed = false
  return {
    send: (url, options) => undici.request(url, { ...options, dispatcher: shared.agent }),
    close: async () => {
      if (closed) return
      closed = true
      shared.shares--
      if (shared.shares > 0) return
      agents.delete(key)
      await shared.agent.destroy()
    },
  }
}

/** @param trust - makes the context that says which certificates to trust */
function makeAgent(undici: Undici, settings: AgentSettings, trust: (() => SecureContext) | undefined): Agent {
  // created once, as reading all certificates takes longer than a request
  const secureContext = trust?.()
  return new undici.Agent({
    connect: { timeout: settings.connectTimeout, ...(secureContext && { secureContext }) },
    keepAliveTimeout: KEEP_ALIVE,
  })
}

async function readAuthorities(cacert: string): Promise<string> {
  try {
    return await readFile(cacert, 'utf8')
  } catch (cause) {
    throw unusable(cacert, cause)
  }
}

/**
 * Trusts authorities in addition to the built-in ones, which `ca` alone would replace. Its modules are loaded here, as
 * few threads need them.
 */
async function trusting(cacert = '', authorities: string): Promise<() => SecureContext> {
  const { createSecureContext, rootCertificates } = await import('node:tls')
  const { X509Certificate } = await import('node:crypto')
  return () => {
    try {
      // without this check, a file without a certificate would be ignored
      new X509Certificate(authorities)
      return createSecureContext({ ca: [...rootCertificates, authorities] })
    } catch (cause) {
      throw unusable(cacert, cause)
    }
  }
}

function unusable(cacert: string, cause: unknown): FileError {
  return fileError('HttpInlet', 'use the certificates in', cacert, cause)
}
