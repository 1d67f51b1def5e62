import { lstat, readlink, realpath } from 'node:fs/promises'
import path from 'node:path'
import { toError } from '../errors.js'

/**
 * Where a path leads to when every link on it is followed, whether or not there is such a file yet.
 *
 * @param file - absolute path
 */
export async function realTarget(file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch (error) {
    if (!isMissing(error) || path.dirname(file) === file) throw error
  }
  const real = path.join(await realTarget(path.dirname(file)), path.basename(file))
  // opening a link to a missing file would make that file
  const target = await linkTarget(real)
  return target === undefined ? real : realTarget(path.resolve(path.dirname(real), target))
}

/** What a link says, `undefined` when there is no link. */
async function linkTarget(file: string): Promise<string | undefined> {
  try {
    return (await lstat(file)).isSymbolicLink() ? await readlink(file) : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Whether `file` is below `folder`. Both are real paths. */
export function isWithin(folder: string, file: string): boolean {
  const between = path.relative(folder, file)
  return between !== '' && between !== '..' && !between.startsWith(`..${path.sep}`) && !path.isAbsolute(between)
}

/** Whether `error` says that a file does not exist. */
export function isMissing(error: unknown): boolean {
  const thrown = toError(error)
  return 'code' in thrown && thrown.code === 'ENOENT'
}
