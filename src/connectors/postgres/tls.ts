import type { ConnectionOptions } from 'node:tls'
import { readFile } from 'node:fs/promises'
import { checkPath } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import { custom, flag, path, resolveOptions, type Spec } from '../../base/options.js'
import { fileError } from '../errors.js'

/** Encryption of a connection to PostgreSQL. */
export interface PostgresTls {
  /**
   * Path of a PEM file of the authorities to trust, instead of those of Node.
   * @default undefined - those of Node
   */
  readonly ca?: string
  /**
   * Path of a PEM file with the certificate of the client.
   * @default undefined
   */
  readonly cert?: string
  /**
   * Path of a PEM file with the key of that certificate.
   * @default undefined
   */
  readonly key?: string
  /**
   * Name that the certificate of the server must have.
   * @default the host
   */
  readonly serverName?: string
  /**
   * Whether the certificate of the server is verified. Without that, whoever is on the way can read and change all.
   * @default true
   */
  readonly verify?: boolean
}

/** {@link PostgresTls}, resolved. */
export interface TlsSettings {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly serverName: string | undefined
  /** Whether the certificate of the server is verified; `'ca'`: but for its name. */
  readonly verify: boolean | 'ca'
}

const TLS_OPTIONS = {
  ca: path('undefined - those of Node'),
  cert: path('undefined'),
  key: path('undefined'),
  serverName: custom(checkServerName, 'the host'),
  verify: flag(true),
} satisfies Spec<PostgresTls>

function checkServerName(name: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : checkPath(name, value)
}

/**
 * Checks the option `tls`.
 *
 * @throws {@link InvalidOptionError}
 */
export function checkTls(name: string, value: boolean | PostgresTls | undefined): boolean | TlsSettings | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new InvalidOptionError(name, 'a boolean, or an object with ca, cert, key, serverName and verify', value)
  }
  const settings = resolveOptions(name, value, TLS_OPTIONS)
  if ((settings.cert === undefined) !== (settings.key === undefined)) {
    const missing = settings.cert === undefined ? 'cert' : 'key'
    throw new InvalidOptionError(`${name}.${missing}`, 'cert and key together', undefined)
  }
  return settings
}

/**
 * Makes the options of the driver for an encrypted connection, and reads the files for them.
 *
 * @param connector - name of the inlet or outlet, for errors
 * @throws {@link FileError} when a file cannot be read
 */
export async function tlsOptions(
  connector: string,
  tls: boolean | TlsSettings | undefined,
): Promise<boolean | ConnectionOptions | undefined> {
  if (tls === undefined || typeof tls === 'boolean') return tls
  const read = async (file: string | undefined) => {
    if (file === undefined) return undefined
    return readFile(file, 'utf8').catch((cause: unknown) => {
      throw fileError(connector, 'use the certificate or key in', file, cause)
    })
  }
  const [ca, cert, key] = [await read(tls.ca), await read(tls.cert), await read(tls.key)]
  const { serverName, verify } = tls
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    rejectUnauthorized: verify !== false,
    ...(verify === 'ca' && { checkServerIdentity: () => undefined }),
    ...(serverName !== undefined && { servername: serverName }),
    ...(serverName !== undefined && verify === true && { checkServerIdentity: await nameCheck(serverName) }),
  }
}

/** Checks a certificate by another name than that of the host, by which the driver would check it. */
async function nameCheck(serverName: string): Promise<NonNullable<ConnectionOptions['checkServerIdentity']>> {
  const { checkServerIdentity } = await import('node:tls')
  return (_host, certificate) => checkServerIdentity(serverName, certificate)
}
