import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { InvalidOptionError } from '../../base/errors.js'
import { hintAt } from '../../base/suggestion.js'
import { variableOf } from '../../config/environment.js'
import { storeFiles } from '../../store/store-files.js'
import { configFlags, configurationOf, type ConfigFlags } from '../configured.js'
import type { ProcessContext } from '../process-context.js'

/** Folder of the store where none is named. */
export const DEFAULT_FOLDER = './.databay'

/** What says where the store is. */
type StoreFlags = ConfigFlags & { readonly store?: string }

/**
 * Folder of the store that a command is about: that of `--store`, else of `DATABAY_STORE`, else of the configuration, else
 * the default.
 *
 * @throws {@link InvalidOptionError} when there is no store in it
 * @throws {@link ConfigError} about the configuration file
 */
export async function storeFolder(args: StoreFlags, context: Pick<ProcessContext, 'env' | 'stderr'>): Promise<string> {
  return checkStore(await chosenFolder(args, context))
}

/**
 * Gives the folder when there is a store in it.
 *
 * @throws {@link InvalidOptionError} when there is none
 */
export function checkStore({ option, folder, isDefault = false }: ChosenFolder): string {
  const files = storeFiles(folder)
  if (!existsSync(files.store) && !existsSync(files.owner)) {
    const hint = isDefault ? 'that is the default, name yours or set DATABAY_STORE' : nearFolder(files.folder)
    throw new InvalidOptionError(option, 'a folder with a store in it', folder, { hint })
  }
  return folder
}

/** Folder, what names it, and whether nothing did. */
interface ChosenFolder {
  readonly option: string
  readonly folder: string
  readonly isDefault?: boolean
}

async function chosenFolder(
  { store, ...flags }: StoreFlags,
  context: Pick<ProcessContext, 'env' | 'stderr'>,
): Promise<ChosenFolder> {
  if (store !== undefined) return { option: '--store', folder: store }
  // it goes before the configuration, which need not be loaded then
  const variable = variableOf('store')
  const { [variable]: inEnvironment = '' } = context.env
  if (inEnvironment !== '') return { option: variable, folder: inEnvironment }
  const { planner, origins } = await configurationOf(configFlags(flags), context, false)
  if (planner.store === undefined) return { option: '--store', folder: DEFAULT_FOLDER, isDefault: true }
  return { option: origins.get('store')?.name ?? 'store', folder: planner.store }
}

/** What to say of a folder without a store: the one beside it that was most likely meant. */
function nearFolder(folder: string): string | undefined {
  const parent = dirname(folder)
  if (existsSync(storeFiles(parent).store)) return `the store is the folder, ${parent}`
  if (existsSync(folder)) return undefined
  return existsSync(parent) ? hintAt(basename(folder), readdirSync(parent)) : `there is no folder ${parent}`
}
