import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { InletTester, OutletTester } from 'databay/testing'
import { DiskInlet, WebhookOutlet } from './links.js'

const told: unknown[] = []
const chat = createServer((request, response) => {
  void json(request).then((body) => response.end(String(told.push(...(body as unknown[])))))
}).listen(0)
process.env['WEBHOOK_URL'] = `http://localhost:${(chat.unref().address() as AddressInfo).port}`
void new InletTester((options) => new DiskInlet(options)).run(test)
void new OutletTester({ create: (options) => new WebhookOutlet(options), read: () => told }).run(test)
