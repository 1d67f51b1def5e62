import { InvalidOptionError } from '../../base/errors.js'
import { ENCODE_HINT, shownUrl } from '../../base/url-credentials.js'

/** Address of a server, as the options give it. */
export interface MongoAddress {
  readonly url: string | undefined
  readonly host: string | undefined
  readonly port: number | undefined
}

/** Connection string, and the parts of it that may be shown. */
export interface MongoUrl {
  readonly url: string
  /** Hosts and ports, without credentials. */
  readonly hosts: string
  /** Name of the database in the URL; `undefined` when it has none. */
  readonly database: string | undefined
}

// an @ that does not end the credentials is in an unescaped password, of which no part may pass for a host
const URL_PATTERN = /^mongodb(?:\+srv)?:\/\/(?:[^@/?#]*@)?([^@/?#]+)(?:\/([^@?%#]*))?(?:\?[^@#]*)?$/

/** A colon of the hosts that no port follows: what is behind it is a password whose @ is missing, or further on. */
const NO_PORT = /:(?!\d+(?:,|$))/

/**
 * Checks the address of a server.
 *
 * @param connector - name of the inlet or outlet, for the error
 * @throws {@link InvalidOptionError}
 */
export function checkUrl(connector: string, options: MongoAddress): MongoUrl {
  const { url, host, port } = options
  if (url === undefined) {
    const name = host ?? 'localhost'
    if (typeof name !== 'string' || !/^(?:[^\s:/@?#,[\]]+|\[[\da-fA-F:.]+\])$/.test(name)) {
      throw new InvalidOptionError(`${connector}.host`, 'the name or address of a host', shownUrl(name))
    }
    const number = port ?? 27_017
    if (!Number.isInteger(number) || number < 1 || number > 65_535) {
      throw new InvalidOptionError(`${connector}.port`, 'an integer from 1 to 65535', number)
    }
    return { url: `mongodb://${name}:${number}/`, hosts: `${name}:${number}`, database: undefined }
  }
  for (const [option, value] of Object.entries({ host, port })) {
    if (value !== undefined) throw new InvalidOptionError(`${connector}.${option}`, 'none beside a url', value)
  }
  const [, hosts, path = ''] = (typeof url === 'string' && URL_PATTERN.exec(url)) || []
  if (hosts === undefined || NO_PORT.test(hosts.replaceAll(/\[[^\]]*\]/g, ''))) {
    const hint = typeof url === 'string' && /^mongodb(?:\+srv)?:\/\/[^/]/.test(url) ? ENCODE_HINT : undefined
    throw new InvalidOptionError(`${connector}.url`, 'a connection string of MongoDB', shownUrl(url), { hint })
  }
  if (/[?&]w=0(?:&|$)/i.test(url)) {
    // losses would be unknown
    throw new InvalidOptionError(`${connector}.url`, 'a write concern other than 0', shownUrl(url))
  }
  return { url, hosts, database: path === '' ? undefined : path }
}

/** Names of the options that a URL sets, in lower case. */
export function namesInQuery(url: string): Set<string> {
  const [, query = ''] = url.split('?')
  return new Set(query.split('&').map((pair) => (pair.split('=')[0] ?? '').toLowerCase()))
}
