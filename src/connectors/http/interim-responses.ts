import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'

const CONTINUE = /^HTTP\/1\.[01] 100[ \r]/
/** What each begins with, for one that comes in pieces. */
const BEGUN = 'HTTP/1.1 100'
/** Longest head of one: a longer one is left to undici. */
const LONGEST_HEAD = 4096

/**
 * Leaves out each `100 Continue` before a response. Some servers send it unasked, and undici takes that for the end of the connection,
 * so that nobody would know what became of the request.
 */
export function withoutContinue(socket: Socket): Socket {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null
  const write = socket.write.bind(socket) as (...given: unknown[]) => boolean
  /** Whether nothing of a response has come since something was sent. */
  let isAwaited = false
  /** Beginning of one whose end has not come yet. */
  let begun: Buffer | undefined
  socket.write = (...given: unknown[]) => {
    isAwaited = true
    return write(...given)
  }
  socket.read = (size?: number) => {
    const chunk = read(size)
    if (!isAwaited || chunk === null || size !== undefined) return chunk
    let rest = begun === undefined ? chunk : Buffer.concat([begun, chunk])
    begun = undefined
    for (;;) {
      const head = rest.toString('latin1', 0, LONGEST_HEAD)
      if (!CONTINUE.test(head) && !BEGUN.startsWith(head.replace('/1.0', '/1.1'))) break
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) {
        if (head.length === LONGEST_HEAD) break
        begun = rest
        return null
      }
      rest = rest.subarray(end + 4)
      if (rest.length === 0) return null
    }
    isAwaited = false
    return rest
  }
  return socket
}
