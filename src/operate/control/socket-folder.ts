import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { ControlError } from './errors.js'

/** Folder of a user in the folder of temporary files: the sockets of all processes of this user, or links to them. */
export function socketFolder(): string {
  return join(tmpdir(), `databay-${process.getuid?.() ?? userInfo().username}`)
}

/**
 * Checks that the folder belongs to this user, and that nobody else can put anything into it or look into it.
 *
 * @returns `false` when there is none
 * @throws {@link ControlError}
 */
export function checkSocketFolder(folder: string): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false })
  if (stats === undefined) return false
  const wrong = !stats.isDirectory()
    ? 'is not a folder'
    : stats.uid !== process.getuid?.()
      ? 'belongs to another user'
      : (stats.mode & 0o077) !== 0
        ? `can be used by other users: its mode is ${(stats.mode & 0o777).toString(8)} rather than 700`
        : undefined
  if (wrong !== undefined) throw new ControlError(`${folder}, where sockets of running processes lie, ${wrong}`)
  return true
}

/** Makes the folder where there is none, and checks it. */
export function openSocketFolder(folder: string): void {
  if (checkSocketFolder(folder)) return
  mkdirSync(folder, { mode: 0o700, recursive: true })
  checkSocketFolder(folder)
}
