import type { Test } from 'tap'
import { serve } from './servers.js'

/** Starts a job service with one job, as docs/writing-connectors.md describes it. */
export async function startJobsService(t: Test) {
  const posted: { readonly queue: string | undefined; readonly jobs: unknown }[] = []
  const { url } = await serve(t, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (request.method === 'POST') {
        posted.push({ queue: request.url?.split('/').at(-1), jobs: JSON.parse(body) as unknown })
      }
      response.end('[{"id":1,"queue":"mail","work":"first"}]')
    })
  })
  return { url, posted }
}
