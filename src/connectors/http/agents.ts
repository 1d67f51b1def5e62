import { readFile } from 'node:fs/promises'
import type { SecureContext } from 'node:tls'
import type { Agent, buildConnector, Dispatcher, Pool, ProxyAgent } from 'undici'
import { fileError, type FileError } from '../errors.js'
import { loadOptional, type OptionalPackage } from '../../base/optional-packages.js'
import { environment } from './environment.js'
import { withoutContinue } from './interim-responses.js'
import { withLateEnd } from './paused-socket.js'
import { proxiesOf, proxyAuthorization, proxyFor, type Proxies } from './proxy.js'
import type { SentHeaders } from './request-headers.js'

type Undici = typeof import('undici')

const UNDICI: OptionalPackage<Undici> = { name: 'undici', range: '^7.20.0', load: () => import('undici') }

/**
 * Time for which an idle connection is kept, in milliseconds: longer than usual intervals, shorter than servers keep
 * it.
 */
const KEEP_ALIVE = 30_000

/** Most bytes of the headers of a response, as in browsers: cookies and policies may be longer than what Node takes. */
const HEADER_SIZE = 262_144

/** Settings that tell one agent from another. */
export interface AgentSettings {
  /** Time for which an idle connection is kept, in milliseconds, where the server does not say how long it keeps it. */
  readonly keepAlive?: number
  /** Time to connect, in milliseconds. */
  readonly connectTimeout: number
  /** Path of a file of certificates to trust, in addition to the built-in ones of Node. */
  readonly cacert: string | undefined
  /** Proxy for all requests; `false` for none, `undefined` for those of the environment. */
  readonly proxy?: string | false | undefined
}

/** Options of a request, apart from where it goes. */
export type SendOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'headers'> & {
  readonly headers?: SentHeaders
}

/** Share in an agent. */
export interface Connection {
  send(url: URL, options: SendOptions): Promise<Dispatcher.ResponseData>
  /** Sends a request, whose response a handler takes as it comes. */
  dispatch(url: URL, options: SendOptions, handler: Dispatcher.DispatchHandler): void
  /**
   * Gives the share back. The connections of an agent are closed with its last share. Closing twice has no further
   * effect.
   */
  close(): Promise<void>
}

/** Agents of one kind of settings. */
interface SharedAgents {
  /** Agent for servers, and for proxies of requests that are not encrypted. */
  readonly direct: Agent
  /** Agents for encrypted requests, by the URL of their proxy. */
  readonly tunnels: Map<string, ProxyAgent>
  readonly makeTunnel: (proxy: URL) => ProxyAgent
  shares: number
}

/**
 * Agents of this thread, by their settings, so that inlets that poll one server share its connections. They stay here
 * from their first share to their last.
 */
const agents = new Map<string, SharedAgents>()

/**
 * Gives a share in the agents with these settings, which are created when there are none.
 *
 * @param owner - connector that asks for it, for errors
 * @throws {@link FileError} when the certificates cannot be read, {@link InvalidOptionError} when the environment names
 * a proxy that is none
 */
export async function openConnection(settings: AgentSettings, owner = 'HttpInlet'): Promise<Connection> {
  const { connectTimeout, cacert, keepAlive } = settings
  const proxies = proxiesOf(settings.proxy, environment())
  const undici = await loadOptional(UNDICI, owner)
  // the key has the content of the file, which may be replaced while agents are open
  const authorities = cacert === undefined ? undefined : await readAuthorities(owner, cacert)
  const trust = authorities === undefined ? undefined : await trusting(owner, cacert ?? '', authorities)
  const key = JSON.stringify([connectTimeout, authorities, proxies, keepAlive])
  const shared = agents.get(key) ?? makeAgents(undici, settings, trust)
  agents.set(key, shared)
  shared.shares++
  let closed = false
  return {
    send: (url, options) => {
      const { by, request } = routed(shared, proxies, url, options)
      return by.request(request)
    },
    dispatch: (url, options, handler) => {
      const { by, request } = routed(shared, proxies, url, options)
      by.dispatch(request, handler)
    },
    close: async () => {
      if (closed) return
      closed = true
      shared.shares--
      if (shared.shares > 0) return
      agents.delete(key)
      await Promise.all([shared.direct, ...shared.tunnels.values()].map((agent) => agent.destroy()))
    },
  }
}

/** Request as an agent sends it, and the agent by which it goes. */
interface Routed {
  readonly by: Dispatcher
  readonly request: Dispatcher.RequestOptions & { readonly origin: string }
}

function routed(
  { direct, tunnels, makeTunnel }: SharedAgents,
  proxies: Proxies,
  url: URL,
  options: SendOptions,
): Routed {
  const { origin } = url
  const path = `${url.pathname}${url.search}`
  const proxy = proxyFor(url, proxies)
  if (proxy === undefined) return { by: direct, request: { ...options, origin, path } }
  if (url.protocol === 'http:') {
    // a proxy may refuse to tunnel what is not encrypted, so it is asked by the whole URL
    const authorization = proxyAuthorization(proxy)
    const headers = {
      host: url.host,
      ...options.headers,
      ...(authorization && { 'proxy-authorization': authorization }),
    }
    return { by: direct, request: { ...options, headers, origin: proxy.origin, path: url.href } }
  }
  const tunnel = tunnels.get(proxy.href) ?? makeTunnel(proxy)
  tunnels.set(proxy.href, tunnel)
  return { by: tunnel, request: { ...options, origin, path } }
}

/** @param trust - makes the context that says which certificates to trust */
function makeAgents(
  undici: Undici,
  { connectTimeout: timeout, keepAlive: keepAliveTimeout = KEEP_ALIVE }: AgentSettings,
  trust: (() => SecureContext) | undefined,
): SharedAgents {
  // created once, as reading all certificates takes longer than a request
  const secureContext = trust?.()
  const connect = { timeout, ...(secureContext && { secureContext }) }
  // a pool for each origin, as an agent makes it
  const factory = (origin: URL | string, options: object) => {
    const { connect: own } = options as Pool.Options
    const connector = typeof own === 'function' ? own : undici.buildConnector(connect)
    return new undici.Pool(origin, { ...options, connect: guarded(connector) })
  }
  const makeTunnel = (proxy: URL) => {
    const token = proxyAuthorization(proxy)
    return new undici.ProxyAgent({
      uri: proxy.origin,
      ...(token !== undefined && { token }),
      factory,
      requestTls: connect,
      proxyTls: connect,
      // otherwise a proxy that does not answer is waited for without end
      clientFactory: (origin, options) => new undici.Pool(origin, { ...options, headersTimeout: timeout }),
      keepAliveTimeout,
      maxHeaderSize: HEADER_SIZE,
    })
  }
  const direct = new undici.Agent({ factory, keepAliveTimeout, maxHeaderSize: HEADER_SIZE })
  return { direct, tunnels: new Map(), makeTunnel, shares: 0 }
}

function guarded(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...[error, socket]) => {
      if (error === null) callback(null, withLateEnd(withoutContinue(socket)))
      else callback(error, null)
    })
  }
}

async function readAuthorities(owner: string, cacert: string): Promise<string> {
  try {
    return await readFile(cacert, 'utf8')
  } catch (cause) {
    throw unusable(owner, cacert, cause)
  }
}

/**
 * Trusts authorities in addition to those of Node, which `ca` alone would replace. Its modules are loaded here, as
 * few threads need them.
 */
async function trusting(owner: string, cacert: string, authorities: string): Promise<() => SecureContext> {
  const tls = await import('node:tls')
  const { X509Certificate } = await import('node:crypto')
  const others = await authoritiesOfNode(tls)
  return () => {
    try {
      // without this check, a file without a certificate would be ignored
      new X509Certificate(authorities)
      return tls.createSecureContext({ ca: [...others, authorities] })
    } catch (cause) {
      throw unusable(owner, cacert, cause)
    }
  }
}

/** Authorities that Node trusts: the built-in ones, and those of `NODE_EXTRA_CA_CERTS`. */
async function authoritiesOfNode(tls: typeof import('node:tls')): Promise<readonly string[]> {
  const { getCACertificates } = tls as { readonly getCACertificates?: (type: 'default') => readonly string[] }
  if (getCACertificates !== undefined) return getCACertificates('default')
  const { NODE_EXTRA_CA_CERTS: file = '' } = environment()
  // without a file that can be used, Node goes on and has said so
  const extra = file === '' ? '' : await readFile(file, 'utf8').catch(() => '')
  return extra.includes('-----BEGIN ') ? [...tls.rootCertificates, extra] : tls.rootCertificates
}

function unusable(owner: string, cacert: string, cause: unknown): FileError {
  return fileError(owner, 'use the certificates in', cacert, cause)
}
