/**
 * Why a connection came to nothing, in plain words where OpenSSL has its own.
 *
 * @param plainly - how the server would be asked without TLS, such as `by http://`
 */
export function connectionFailure(error: Error, plainly: string): string {
  const code = 'code' in error ? String(error.code) : ''
  const speaksNoTls = `the server speaks no TLS there: should it be asked ${plainly}?`
  if (/^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/.test(code)) return speaksNoTls
  if (/:(?:wrong version number|packet length too long|http request):/.test(error.message)) return speaksNoTls
  // some servers hang up on what they do not understand
  if (/before secure TLS connection was established/.test(error.message)) {
    return `${error.message}: the server may speak no TLS there; then it is asked ${plainly}`
  }
  // the text of OpenSSL has places of its own code
  if ('library' in error && 'reason' in error) return `TLS failed: ${String(error.reason)}`
  // when every address of a host failed, only the code says why
  return error.message || code || error.name
}
