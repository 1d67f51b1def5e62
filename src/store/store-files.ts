import { resolve, join } from 'node:path'

/** Files of a store. Nothing opens them but SQLite: the locks of a process end when it closes any descriptor of a file. */
export interface StoreFiles {
  readonly folder: string
  /** What links keep. SQLite has a `-wal` and a `-shm` beside it. */
  readonly store: string
  /** Empty; its lock says who owns the store. */
  readonly owner: string
  /** What transfers did. It may be deleted at any time. */
  readonly ledger: string
}

/** Files of the store in a folder. */
export function storeFiles(folder: string): StoreFiles {
  const root = resolve(folder)
  return { folder: root, store: join(root, 'store.db'), owner: join(root, 'owner.db'), ledger: join(root, 'ledger.db') }
}
