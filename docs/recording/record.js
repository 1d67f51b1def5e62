/**
 * Records `databay run links.mjs` in a terminal, as a file that asciinema can play too: `node docs/recording/record.js`.
 * `render.js` makes the picture of it.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, copyFileSync, mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const here = import.meta.dirname
const root = resolve(here, '../..')
const SECONDS = 8
const NUMBERS = [91, 8633, 99999999999973, 1000003, 999999000001, 99999999999971, 99999999999929]
const SIZE = { width: 116, height: 10 }

const folder = mkdtempSync(join(tmpdir(), 'databay-recording-'))
mkdirSync(join(folder, 'node_modules'))
symlinkSync(root, join(folder, 'node_modules/databay'))
copyFileSync(join(here, 'links.mjs'), join(folder, 'links.mjs'))
writeFileSync(join(folder, 'numbers.csv'), ['number', ...NUMBERS, ''].join('\n'))
writeFileSync(join(folder, 'access.log'), '')
writeFileSync(join(folder, 'orders.csv'), 'id,item,price\n')

const pages = ['/', '/prices', '/about', '/prices/tea', '/cart']
const began = Date.now()
const visitors = setInterval(() => {
  const page = pages[Math.floor(Math.random() * pages.length)]
  appendFileSync(join(folder, 'access.log'), `127.0.0.1 - - "GET ${page} HTTP/1.1" 200 512\n`)
}, 8)
const server = createServer((_, response) => {
  const last = 3 + Math.floor((Date.now() - began) / 400)
  const orders = [2, 1, 0].map((back) => ({ id: last - back, item: 'tea', price: 3.2 }))
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ orders }))
})
await once(server.listen(0, '127.0.0.1'), 'listening')

const command = [process.execPath, join(root, 'dist/src/cli/main.js'), 'run', 'links.mjs', '--threads', '2']
const terminal = spawn('python3', [join(root, 'test/cli/fixtures/terminal.py'), String(SIZE.width), ...command], {
  cwd: folder,
  env: { ...process.env, TERM: 'xterm-256color', ORDERS_URL: `http://127.0.0.1:${server.address().port}/orders` },
  stdio: ['pipe', 'pipe', 'inherit'],
})
const events = []
const start = performance.now()
terminal.stdout.setEncoding('utf8').on('data', (text) => {
  events.push([Number(((performance.now() - start) / 1000).toFixed(2)), 'o', text])
})
const closed = once(terminal, 'close')
await Promise.race([wait(SECONDS * 1000), closed])
terminal.stdin.write('\u0003') // Ctrl-C
await closed

clearInterval(visitors)
server.close()
rmSync(folder, { recursive: true })
const header = { version: 2, ...SIZE, title: 'npx databay run links.mjs --threads 2' }
writeFileSync(join(here, 'run.cast'), [header, ...events].map((line) => `${JSON.stringify(line)}\n`).join(''))
