import { setTimeout as delay } from 'node:timers/promises'

/** Task that waits, for a raw Piscina. */
export default async function wait(milliseconds: number): Promise<number> {
  await delay(milliseconds)
  return milliseconds
}
