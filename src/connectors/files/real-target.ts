import { readlink, realpath } from 'node:fs/promises'
import path from 'node:path'
import { isMissing } from './missing.js'

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
  // nothing is there, or a link to what is not there: opening that would make a file where it leads
  const target = await readlink(real).catch(() => undefined)
  return target === undefined ? real : realTarget(path.resolve(path.dirname(real), target))
}

/** Whether `file` is below `folder`. Both are real paths. */
export function isWithin(folder: string, file: string): boolean {
  const between = path.relative(folder, file)
  return between !== '' && between !== '..' && !between.startsWith(`..${path.sep}`) && !path.isAbsolute(between)
}
