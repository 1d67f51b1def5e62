import type { Socket } from 'node:net'

/**
 * Keeps the end of a connection back while nobody takes what has come on it: undici 7 fails an assertion when such a connection
 * ends, which ends the thread. It pauses by putting back what it has not parsed, and reads when it goes on.
 */
export function withLateEnd(socket: Socket): Socket {
  const read = socket.read.bind(socket) as (size?: number) => unknown
  const unshift = socket.unshift.bind(socket)
  const push = socket.push.bind(socket)
  const destroy = socket.destroy.bind(socket)
  let isPaused = false
  let isEnding = false
  const end = () => {
    if (!isEnding || isPaused) return
    isEnding = false
    push(null)
  }
  socket.unshift = (chunk, encoding) => {
    isPaused = true
    unshift(chunk, encoding)
  }
  socket.read = (size) => {
    // with a size, it is not undici that reads
    if (size === undefined) {
      isPaused = false
      if (isEnding) setImmediate(end)
    }
    return read(size)
  }
  socket.push = (chunk, encoding) => {
    // undici looks for the end of an idle connection before it writes to it, so that one is given at once
    if (chunk !== null || (!isPaused && socket.readableLength === 0)) return push(chunk, encoding)
    isEnding = true
    // what has come before it is read first
    setImmediate(end)
    return false
  }
  socket.destroy = (error) => destroy(isPaused && error !== undefined ? notReset(error) : error)
  return socket
}

/** The error of a connection that was reset, under a code that undici takes for no end of the response. */
function notReset(error: Error): Error {
  if (!('code' in error) || error.code !== 'ECONNRESET') return error
  return Object.assign(new Error(error.message, { cause: error }), { code: 'ECONNABORTED' })
}
