/**
 * Scrapes metrics once a second while it is told an address: a process of its own, as Prometheus is. It says how many bytes each
 * scrape had, or that it failed.
 */

/** A scrape, as this process tells of it. */
export interface Scrape {
  /** Number of bytes; `undefined` when the scrape failed. */
  readonly bytes: number | undefined
}

let timer: NodeJS.Timeout | undefined

process.on('message', (url: string | undefined) => {
  clearInterval(timer)
  if (url === undefined || url === '') return
  timer = setInterval(() => void scrape(url), 1000)
})
process.on('disconnect', () => {
  clearInterval(timer)
})
process.send?.({ bytes: 0 } satisfies Scrape)

async function scrape(url: string): Promise<void> {
  const bytes = await fetch(url)
    .then(async (response) => (response.ok ? (await response.arrayBuffer()).byteLength : undefined))
    .catch(() => undefined)
  process.send?.({ bytes } satisfies Scrape)
}
