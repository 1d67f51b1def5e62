import { isIPv6 } from 'node:net'
import { InvalidOptionError } from '../../base/errors.js'

/** Host that is listened on when only a port is given: this machine alone. */
const HOST = '127.0.0.1'

/** Port of metrics and probes when none is given: the first of those that Prometheus keeps for exporters of other programs. */
const PORT = 9464

/** What the option `http` takes, in words. */
const EXPECTED =
  "a port from 0 to 65535, an address such as '127.0.0.1:9464', ':9464' (all interfaces) or '[::1]:9464', or true"

/** Where metrics and probes are served. */
export interface HttpAddress {
  /** Name or number of the interface; `undefined` for all of them. */
  readonly host: string | undefined
  /** Port; 0 for any that is free. */
  readonly port: number
}

/**
 * Reads the option `http`.
 *
 * @param value - `true` for the default address, `false` for none
 * @throws {@link InvalidOptionError}
 */
export function readHttpAddress(option: string, value: string | number | boolean | undefined): HttpAddress | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return { host: HOST, port: PORT }
  if (typeof value === 'number' && isPort(value)) return { host: HOST, port: value }
  const address = typeof value === 'string' ? parse(value) : undefined
  if (address === undefined) {
    // what is before an @ may be a password
    const shown = typeof value === 'string' ? value.replace(/^.*@/s, '***@') : value
    throw new InvalidOptionError(option, EXPECTED, shown, { hint: hintFor(value) })
  }
  return address
}

/** The address as it is in a URL: an IPv6 one in brackets. */
export function hostInUrl(host: string): string {
  return isIPv6(host) ? `[${host}]` : host
}

function parse(text: string): HttpAddress | undefined {
  if (/^\d+$/.test(text)) return withPort(HOST, text)
  if (isIPv6(text)) return { host: text, port: PORT }
  const [, six, name, port] = /^(?:\[([^\]]+)\]|([a-z\d.-]*))(?::(\d+))?$/i.exec(text) ?? []
  if (six !== undefined) return isIPv6(six) ? withPort(six, port) : undefined
  if (name === undefined || (name === '' && port === undefined)) return undefined
  if (name !== '' && !isHost(name)) return undefined
  return withPort(name === '' ? undefined : name, port)
}

function withPort(host: string | undefined, port: string | undefined): HttpAddress | undefined {
  const number = port === undefined ? PORT : Number(port)
  return isPort(number) ? { host, port: number } : undefined
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65535
}

/** Whether a text is the name of a host, or an IPv4 address. */
function isHost(name: string): boolean {
  if (/^[\d.]+$/.test(name)) return /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(name)
  return name.split('.').every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(label)) && !isFile(name)
}

/** Whether a text looks like a file, which the command line may hand over by mistake. */
function isFile(text: string): boolean {
  return /[\\/]|\.[cm]?[jt]sx?$/.test(text)
}

function hintFor(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  if (/^\w+:\/\//.test(value)) return 'leave out what is before the host and after the port'
  if (isFile(value)) return 'a file that follows --http is taken for its address: put it before, or write --http=9464'
  return undefined
}
