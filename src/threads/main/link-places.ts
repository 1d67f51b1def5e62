import type { Thread } from './thread.js'

/** A link's place in a thread. */
export interface Host {
  readonly id: number
  thread: Thread
  open: boolean
  /** On its way to be open. */
  opening: Promise<void> | undefined
  /** On its way to be closed. */
  closing: Promise<void> | undefined
  /** On its way to another thread. */
  moving: boolean
  /** How many transfers are under way there. */
  running: number
  /** Told when none is any more. */
  onIdle: () => void
  /** Told when its thread is lost while it is on its way from there. */
  onLost: () => void
  /** What its instances handed over, until others have taken it. */
  state: { readonly state: unknown } | undefined
  /** How often they have. */
  handOffs: number
}

/** A transfer has left its host. */
export function leave(host: Host): void {
  host.running--
  if (host.running === 0) host.onIdle()
}

export function nothing(): void {
  // nobody waits
}

export function newHost(thread: Thread, id: number): Host {
  return {
    id,
    thread,
    open: false,
    opening: undefined,
    closing: undefined,
    moving: false,
    running: 0,
    onIdle: nothing,
    onLost: nothing,
    state: undefined,
    handOffs: 0,
  }
}

/** Closes it, once however many ask. */
export function close(host: Host): Promise<void> {
  host.closing ??= closeNow(host).finally(() => {
    host.closing = undefined
  })
  return host.closing
}

async function closeNow(host: Host): Promise<void> {
  await host.opening?.catch(() => undefined)
  if (!host.open) return
  host.open = false
  await host.thread.close(host.id)
}
