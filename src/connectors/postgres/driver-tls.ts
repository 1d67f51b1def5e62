import type { ConnectionOptions } from 'node:tls'
import { readFile } from 'node:fs/promises'
import { fileError } from '../errors.js'
import type { TlsSettings } from './tls.js'

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
