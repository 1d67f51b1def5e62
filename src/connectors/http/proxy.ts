import { BlockList, isIP } from 'node:net'
import { InvalidOptionError } from '../../base/errors.js'
import type { Url } from '../../base/node-types.js'
import type { Environment } from './environment.js'
import { revealed, type Secret } from '../../base/secret.js'
import { basicToken, ENCODE_HINT, splitsCredentials } from '../../base/url-credentials.js'
import { HIDDEN } from './request-headers.js'

/** Proxies by which requests go, and the hosts to which they go without. */
export interface Proxies {
  /** Proxy for URLs of `http:`; `undefined` for none. */
  readonly http: string | undefined
  /** Proxy for URLs of `https:`; `undefined` for none. */
  readonly https: string | undefined
  /** Hosts without a proxy, as `NO_PROXY` has them. */
  readonly except: string
}

/**
 * Proxies of an inlet: of its option, or else of the environment (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, where names
 * in lower case go first).
 *
 * @param chosen - the option `proxy`; `false` for none
 * @throws {@link InvalidOptionError} naming the variable, never with its value
 */
export function proxiesOf(chosen: string | false | undefined, environment: Environment): Proxies {
  if (chosen !== undefined) return { http: chosen || undefined, https: chosen || undefined, except: '' }
  const read = (name: string) => environment[name.toLowerCase()] ?? environment[name] ?? ''
  const proxy = (name: string) => (read(name).trim() === '' ? undefined : checkProxy(name, read(name)))
  return { http: proxy('HTTP_PROXY'), https: proxy('HTTPS_PROXY'), except: read('NO_PROXY') }
}

/**
 * Checks the URL of a proxy. Without a protocol, it is one of `http:`.
 *
 * @throws {@link InvalidOptionError} that never shows the value: it may have credentials
 */
export function checkProxy(name: string, option: unknown): string {
  const value = revealed(option)
  const given = typeof value === 'string' || value instanceof URL ? String(value).trim() : ''
  // some shells leave the quotes in a variable
  const text = given.replace(/^(["'])(.*)\1$/, '$2').trim()
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const parsed = URL.canParse(url) && !splitsCredentials(url) ? new URL(url) : undefined
  if (parsed !== undefined && (parsed.protocol === 'http:' || parsed.protocol === 'https:')) return parsed.href
  const hint = splitsCredentials(url) ? ENCODE_HINT : undefined
  throw new InvalidOptionError(name, 'a URL of a proxy that starts with http:// or https://', HIDDEN, { hint })
}

/**
 * Reads the option `proxy`: the URL of a proxy, or `false` for none.
 * @internal
 */
export function readProxy(name: string, proxy: string | Url | Secret | false | undefined): string | false | undefined {
  return proxy === undefined || proxy === false ? proxy : checkProxy(name, proxy)
}

/** Proxy by which a request goes; `undefined` when it goes without. */
export function proxyFor(url: URL, { http, https, except }: Proxies): URL | undefined {
  const proxy = url.protocol === 'https:' ? https : http
  return proxy === undefined || isExcepted(url, except) ? undefined : new URL(proxy)
}

/** Value of `proxy-authorization` for the credentials in a proxy's URL; `undefined` when it has none. */
export function proxyAuthorization(proxy: URL): string | undefined {
  const token = basicToken(proxy)
  return token && `Basic ${token}`
}

/**
 * Whether a list of hosts has that of a URL. An entry is a name, which stands for all names that end in it, an address,
 * a range of addresses (`10.0.0.0/8`), or has `*` for any characters; a port may follow.
 */
function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const host = bare(hostname)
  const hostPort = port || (protocol === 'https:' ? '443' : '80')
  return list
    .toLowerCase()
    .split(/[,\s]+/)
    .some((entry) => {
      if (entry === '*') return true
      const withPort = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry)
      const [name = entry, only = hostPort] = withPort?.slice(1) ?? []
      if (name === '' || only !== hostPort) return false
      if (name.includes('/')) return isInRange(host, name)
      const suffix = name.replace(/^\*?\./, '')
      if (suffix.includes('*')) return patternOf(suffix).test(host)
      const other = hostOf(suffix)
      return host === other || (isIP(host) === 0 && host.endsWith(`.${other}`))
    })
}

/** Name or address as URLs have it: with one form of each address, and in letters of ASCII. */
function hostOf(name: string): string {
  const url = `http://${isIP(name) === 6 ? `[${name}]` : name}`
  return bare(isIP(name) !== 4 && URL.canParse(url) ? new URL(url).hostname : name)
}

/** Pattern of hosts with `*` in it, like `192.168.*`. */
function patternOf(name: string): RegExp {
  return new RegExp(`^${name.replaceAll(/[^\w*]/g, '\\$&').replaceAll('*', '.*')}$`)
}

/** Host without the brackets of an address, and without the dot at the end of a name. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

function isInRange(host: string, range: string): boolean {
  const [network = '', length = ''] = range.split('/')
  if (!/^\d+$/.test(length)) return false
  const family = isIP(host) === 6 ? 'ipv6' : 'ipv4'
  try {
    const block = new BlockList()
    block.addSubnet(bare(network), Number(length), isIP(bare(network)) === 6 ? 'ipv6' : 'ipv4')
    return isIP(host) !== 0 && block.check(host, family)
  } catch {
    return false // no range of addresses
  }
}
