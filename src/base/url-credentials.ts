import { Buffer } from 'node:buffer'

/** Text without its percent signs, or as it is when they stand for nothing. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a plain percent sign
  }
}

/** Token of basic authorization with the credentials of a URL; `undefined` when it has none. */
export function basicToken({ username, password }: { readonly username: string; readonly password: string }) {
  if (username === '' && password === '') return undefined
  return Buffer.from(`${percentDecoded(username)}:${percentDecoded(password)}`).toString('base64')
}

/** What to do about a URL whose password has characters that end it, for the end of an error. */
export const ENCODE_HINT =
  'characters such as @, /, ?, # and % in a password are to be percent-encoded, as the tag secret.url does'

/** The same for the URL of a resource. */
export const PAGE_ENCODE_HINT = `${ENCODE_HINT}; an @ of a path or a query is written %40`

/**
 * Whether the URL of a server may have a part of its password in the place of the host, as a plain `@`, `/`, `?`, `#` or `\`
 * of the password ends the credentials for a parser.
 */
export function splitsCredentials(url: string): boolean {
  const { authority, rest } = partsOfText(url)
  return authority.split('@').length > 2 || /[@#]/.test(rest)
}

/** The same of the URL of a resource, whose path may well have an `@`. It may not beside credentials, nor behind a `#`. */
export function splitsPageCredentials(url: string, isSecret: boolean): boolean {
  const { authority, rest } = partsOfText(url)
  if (authority.split('@').length > 2) return true
  if (!rest.includes('@')) return false
  if (authority.includes('@') || /#[^]*@/.test(rest)) return true
  // `http://user:12/34@host:80/` reads as a path of the host user
  if (/^[^=]*@(?:[\w.-]+:\d|(?:\d{1,3}\.){3}\d)/.test(rest)) return true
  if (!isSecret) return false
  const isHost = /^[\w.-]+(?::\d+)?$/.test(authority) && rest.startsWith('/')
  // the value of a parameter is none of a password, nor is what has an @ before it in a path behind a port
  const path = isHost ? rest.replace(/(\?[^=]*=)[^]*/, '$1') : rest
  const left = isHost && authority.includes(':') ? path.replaceAll('/@', '/') : path
  return left.includes('@') && (/:\d/.test(authority) || !/\.|^localhost$/i.test(authority))
}

/** Text of a URL between the protocol and the path, and from there on, as a parser cuts it. */
function partsOfText(url: string): { readonly authority: string; readonly rest: string } {
  const text = url.replaceAll(/[\t\r\n]/g, '')
  const plain = /^\s*https?:/i.test(text) ? text.replaceAll('\\', '/') : text
  const [, authority = '', rest = ''] = /^\s*[a-z][a-z\d+.-]*:\/*([^/?#]*)([^]*)$/i.exec(plain) ?? []
  return { authority, rest }
}

/** Text of a URL that was refused, so far as it may be shown: without what may be credentials, and without its query. */
export function shownUrl(url: unknown): unknown {
  if (typeof url !== 'string') return typeof url
  const [, protocol = '', rest = ''] = /^([a-z][a-z\d+.-]*:\/\/)?([^]*)$/i.exec(url) ?? []
  const at = rest.lastIndexOf('@')
  const server = rest.slice(at + 1).replace(/[?#][^]*$/, '')
  // behind a colon that no port follows may be a password without an @
  const isPlain = at < 0 ? !/:(?!\d+(?:[/,]|$))/.test(server) : !rest.slice(0, at).includes('=')
  if (!isPlain) return `${protocol}\u2026`
  return `${protocol}${at < 0 ? '' : '\u2026@'}${server}`
}
