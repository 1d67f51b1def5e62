/**
 * Serves what a program that is no test needs, until its standard input ends:
 * `node --import ./test/loader/register.js test/helpers/serve.ts postgres`. Prints one line of JSON: how to reach it, or `null`
 * where there is no such server.
 */
import { finished } from 'node:stream/promises'
import type { Test } from 'tap'
import { mongoServer } from './mongo.js'
import { postgresServer } from './postgres.js'
import { s3Server } from './s3.js'

const teardowns: (() => unknown)[] = []

/** Stands for the test that owns a server. */
const owner = {
  comment: (...said: unknown[]) => {
    console.error(...said)
  },
  teardown: (teardown: () => unknown) => teardowns.unshift(teardown),
} as unknown as Test

const SERVERS: { readonly [name: string]: () => Promise<unknown> } = {
  async mongodb() {
    const { skip, url } = await mongoServer(owner)
    return skip === false ? { url } : null
  },
  async postgres() {
    const { skip, url } = await postgresServer(owner)
    return skip === false ? { url } : null
  },
  async s3() {
    const { skip, options, bucket } = await s3Server(owner)
    return skip === false ? { ...options, bucket: await bucket(owner) } : null
  },
}

const serve = SERVERS[process.argv[2] ?? '']
if (serve === undefined) throw new Error(`give one of ${Object.keys(SERVERS).join(', ')}`)
console.log(JSON.stringify(await serve()))
await finished(process.stdin.resume())
for (const teardown of teardowns) await teardown()
