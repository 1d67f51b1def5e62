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
