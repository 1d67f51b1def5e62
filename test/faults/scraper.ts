/**
 * Scrapes metrics once a second, in a process of its own, as Prometheus does; and is as bad a client as others may be: it opens
 * connections that never ask, that ask slowly, and that ask and never read. Its argument is the address. It prints a line for each
 * scrape: the number of links, or 0 when it failed.
 */
import { connect, type Socket } from 'node:net'

const url = new URL(process.argv[2] ?? '')
/** Connections of bad clients. They are left alone until the listener closes them. */
const bad = new Set<Socket>()

setInterval(() => void scrape(), 1000)
setInterval(misbehave, 200)
process.stdin.resume().on('end', () => process.exit())

async function scrape(): Promise<void> {
  const text = await fetch(url)
    .then((response) => response.text())
    .catch(() => '')
  console.log(/^databay_links (\d+)$/m.exec(text)?.[1] ?? 0)
}

function misbehave(): void {
  const requests = ['', 'GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ', 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n']
  for (const request of requests) {
    const socket = connect(Number(url.port), url.hostname)
    bad.add(socket)
    socket.on('error', () => undefined).on('close', () => bad.delete(socket))
    socket.write(request)
    socket.pause()
  }
}
