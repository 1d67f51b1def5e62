import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { InvalidOptionError } from '../../base/errors.js'
import { hintAt } from '../../base/suggestion.js'
import { storeFiles } from '../../store/store-files.js'

const DEFAULT_FOLDER = './.databay'

/**
 * Folder of the store that a command is about.
 *
 * @param inEnvironment - value of `DATABAY_STORE`
 * @throws {@link InvalidOptionError} when there is no store in it
 */
export function storeFolder({ store }: { readonly store?: string }, inEnvironment = ''): string {
  const [option, folder] =
    store !== undefined
      ? ['--store', store]
      : inEnvironment !== ''
        ? ['DATABAY_STORE', inEnvironment]
        : ['--store', DEFAULT_FOLDER]
  const isDefault = store === undefined && inEnvironment === ''
  const files = storeFiles(folder)
  if (!existsSync(files.store) && !existsSync(files.owner)) {
    const hint = isDefault ? 'that is the default, name yours or set DATABAY_STORE' : nearFolder(files.folder)
    throw new InvalidOptionError(option, 'a folder with a store in it', folder, { hint })
  }
  return folder
}

/** What to say of a folder without a store: the one beside it that was most likely meant. */
function nearFolder(folder: string): string | undefined {
  const parent = dirname(folder)
  if (existsSync(storeFiles(parent).store)) return `the store is the folder, ${parent}`
  if (existsSync(folder)) return undefined
  return existsSync(parent) ? hintAt(basename(folder), readdirSync(parent)) : `there is no folder ${parent}`
}
