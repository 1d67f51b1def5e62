import { AddedFile, isOutOfDescriptors } from './added-file.js'

/** Most files that a thread holds open between pushes. */
const MOST = 64

/** Time between two looks for files that nobody has added to since the look before, in milliseconds. */
const LOOK = 5000

/** Files that this thread holds open between pushes, the one that was added to last at the end. */
const held = new Map<string, { readonly file: AddedFile; isIdle: boolean }>()

let timer: NodeJS.Timeout | undefined

/**
 * Takes a file that is held open, if it is still the one at the path. The caller holds the file's lock, and gives it back
 * by {@link putBack}, or closes it.
 */
export async function takeHeld(path: string): Promise<AddedFile | undefined> {
  const file = held.get(path)?.file
  if (file === undefined) return undefined
  held.delete(path)
  if (await file.isCurrent()) return file
  await close(file)
  return undefined
}

/** Opens a file to add to it, see {@link AddedFile.open}. The caller holds the file's lock. */
export function openToAdd(path: string): Promise<AddedFile | undefined> {
  return withDescriptors(() => AddedFile.open(path))
}

/** Holds a file open for the next push. */
export async function putBack(file: AddedFile): Promise<void> {
  held.set(file.path, { file, isIdle: false })
  look()
  const [oldest] = held.keys()
  if (held.size > MOST && oldest !== undefined) await closeHeld([oldest])
}

/** Closes files that are held open. */
export async function closeHeld(paths: Iterable<string>): Promise<void> {
  const closing: Promise<void>[] = []
  for (const path of paths) {
    const file = held.get(path)?.file
    held.delete(path)
    if (file !== undefined) closing.push(close(file))
  }
  if (held.size === 0) {
    clearTimeout(timer)
    timer = undefined
  }
  await Promise.all(closing)
}

/** Does work that opens files, and does it again without those that are held open when there are no descriptors left. */
export async function withDescriptors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (held.size === 0 || !isOutOfDescriptors(error)) throw error
    await closeHeld([...held.keys()])
    return work()
  }
}

function look(): void {
  timer ??= setTimeout(closeIdle, LOOK)
  timer.unref()
}

function closeIdle(): void {
  const idle: string[] = []
  for (const [path, entry] of held) {
    if (entry.isIdle) idle.push(path)
    entry.isIdle = true
  }
  timer = undefined
  look()
  // eslint-disable-next-line @typescript-eslint/no-floating-promises -- it never rejects
  closeHeld(idle)
}

/** Closes a file. All that was added to it is with the system already. */
async function close(file: AddedFile): Promise<void> {
  await file.close().catch(() => undefined)
}
