import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

// in the sources: they are not compiled
const LOADER = new URL('../../test/loader/register.js', import.meta.url)
const SERVE = fileURLToPath(new URL('../../test/helpers/serve.ts', import.meta.url))

/** Server that a bench has started. */
export interface BenchServer<Access> {
  /** How to reach it. */
  readonly access: Access
  readonly close: () => Promise<void>
}

/** How to reach a server by its name. */
export interface Accesses {
  readonly mongodb: { readonly url: string }
  readonly postgres: { readonly url: string }
  readonly s3: S3Access & { readonly bucket: string }
}

/** How to reach an S3, all but the bucket. */
export interface S3Access {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Starts a server as the tests do, in a process of its own; `undefined` where that is not possible. */
export async function openServer<Name extends keyof Accesses>(
  name: Name,
): Promise<BenchServer<Accesses[Name]> | undefined> {
  const args = ['--import', LOADER.href, SERVE, name]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(child, 'close')
  const [said] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error(`the server of ${name} has not started`))),
  ])) as [string]
  const access = JSON.parse(said) as Accesses[Name] | null
  const close = async () => {
    child.stdin.end()
    await ended
  }
  if (access !== null) return { access, close }
  await close()
  return undefined
}
