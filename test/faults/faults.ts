import { setTimeout as wait } from 'node:timers/promises'

/** Kind of a fault that a node commits. */
export type Fault =
  | 'loop'
  | 'loopAfterWait'
  | 'outOfMemory'
  | 'exit'
  | 'throwNull'
  | 'lateThrow'
  | 'lateRejection'
  | 'uncloneableResult'
  | 'uncloneableError'
  | 'hang'

/** Place in a link where the fault is committed. */
export type Place = 'onStart' | 'pull' | 'process' | 'push' | 'onShutdown'

/** Commits a fault: gives a bad result, throws, or never ends. */
export async function commit(fault: Fault): Promise<unknown> {
  switch (fault) {
    case 'loop':
      return loop()
    case 'loopAfterWait':
      await wait(5)
      return loop()
    case 'outOfMemory':
      return fillMemory()
    case 'exit':
      return process.exit(7)
    case 'throwNull':
      throw null // eslint-disable-line @typescript-eslint/only-throw-error -- that is the fault
    case 'lateThrow':
      setTimeout(() => {
        throw new Error('thrown when nobody listens')
      }, 20)
      return undefined
    case 'lateRejection':
      setTimeout(() => void Promise.reject(new Error('rejected when nobody listens')), 20)
      return undefined
    case 'uncloneableResult':
      return { run: () => 'cannot be cloned' }
    case 'uncloneableError':
      throw Object.assign(new Error('carries what cannot be cloned'), { run: () => 'cannot be cloned' })
    case 'hang':
      return new Promise(() => undefined)
  }
}

function loop(): never {
  for (;;) Math.random()
}

function fillMemory(): never {
  const kept: unknown[] = []
  // called from a builtin: from Node 24 on, a loop that is all compiled may hear neither of the limit nor of its thread's end
  for (;;) Array.from({ length: 100 }, () => kept.push(new Array(1000).fill(kept.length)))
}
