/** What is wrong with the certificate of a server, by the codes of Node: the first that fits counts. */
const FAULTS = [
  ['misnamed', /ALTNAME|HOSTNAME_MISMATCH/],
  ['outdated', /CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/],
  ['untrusted', /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|CERT_UNTRUSTED/],
  ['unusable', /(?:^|_)CERT(?:_|$)/],
] as const

/** What is wrong with the certificate of a server. */
type CertificateFault = (typeof FAULTS)[number][0]

/** Names of the options by which a user mends the trust in a server. */
export interface TrustOptions {
  /** Option that names a file of authorities. */
  readonly authority: string
  /** Option that names the server as its certificate does, if there is one. */
  readonly serverName?: string
}

/** Whether a connection came to nothing as the certificate of the server was refused, which does not pass by itself. */
export function isOfCertificate(error: unknown): boolean {
  return faultOf(error) !== undefined
}

/** What to do about a certificate that was refused, for the end of a message; the empty text for other errors. */
export function certificateHint(error: unknown, { authority, serverName }: TrustOptions): string {
  switch (faultOf(error)) {
    case 'untrusted':
      return `: its certificate is not trusted; name its authority by the option ${authority}`
    case 'misnamed':
      return serverName === undefined
        ? ': its certificate is for another name; is the host right?'
        : `: its certificate is for another name; is the host right? Otherwise see the option ${serverName}`
    case 'outdated':
      return ': its certificate is out of date, or the clock of this machine is wrong'
    default:
      return ''
  }
}

function faultOf(error: unknown): CertificateFault | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return FAULTS.find(([, codes]) => codes.test(code))?.[0]
}
