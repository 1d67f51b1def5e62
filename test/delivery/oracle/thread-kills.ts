import { BroadcastChannel, threadId } from 'node:worker_threads'
import type { ThreadKill } from './orders.js'

/** Orders to threads to end themselves, and the word of a thread that it takes some. */
export type DeathMessage = { readonly thread: number; readonly how: ThreadKill } | { readonly listens: number }

/** Opens the channel of these messages. It keeps no thread alive. */
export function deathChannel(take: (message: DeathMessage) => void): BroadcastChannel {
  const channel = new BroadcastChannel('oracle')
  channel.onmessage = (event: unknown) => {
    take((event as { readonly data: DeathMessage }).data)
  }
  channel.unref()
  return channel
}

/** Has this thread end itself when it is ordered to. */
export function dieOnOrder(): void {
  const channel = deathChannel((message) => {
    if ('how' in message && message.thread === threadId) die(message.how)
  })
  channel.postMessage({ listens: threadId } satisfies DeathMessage)
}

function die(how: ThreadKill): void {
  if (how === 'exit') process.exit()
  if (how === 'memory') for (const kept: unknown[] = []; ; kept.push(new Array(10_000).fill(kept)));
  setImmediate(() => {
    throw new Error('this thread was ordered to end')
  })
}
