import { readlink, realpath } from 'node:fs/promises'
import path from 'node:path'
import { descriptorPath } from './descriptors.js'
import { isMissing } from './missing.js'

/**
 * Follows every link of a path, whether or not its file exists yet.
 *
 * @param file - absolute path
 * @returns the path without links; the path of a descriptor where it leads to one, see {@link descriptorPath}
 */
export async function realTarget(file: string): Promise<string> {
  const descriptor = await descriptorPath(file)
  if (descriptor !== undefined) return descriptor
  try {
    return await realpath(file)
  } catch (error) {
    if (!isMissing(error) || path.dirname(file) === file) throw error
  }
  const real = path.join(await realTarget(path.dirname(file)), path.basename(file))
  // the file is missing, or is a link to a missing one: opening that would create a file where the link leads
  const target = await readlink(real).catch(() => undefined)
  return target === undefined ? real : realTarget(path.resolve(path.dirname(real), target))
}

/** Whether `file` is below `folder`. Both are real paths. */
export function isWithin(folder: string, file: string): boolean {
  const between = path.relative(folder, file)
  return between !== '' && between !== '..' && !between.startsWith(`..${path.sep}`) && !path.isAbsolute(between)
}
