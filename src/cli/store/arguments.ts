import { Command, type Option } from 'commander'
import { checkPath } from '../../base/check.js'
import { examples, noColorOption, valued } from '../arguments.js'
import { configFlags, configOptions, type ConfigFlags } from '../configured.js'

/** What `databay store` can do. */
export type StoreAction = 'check' | 'salvage' | 'vacuum'

/** The command line of `databay store`, checked. */
export interface StoreArguments extends ConfigFlags {
  readonly command: 'store'
  readonly action: StoreAction
  /** Folder of the store; left out where the environment says it, or the default holds. */
  readonly store?: string
  readonly json: boolean
  readonly color: boolean
}

const AFTER_HELP = `
The store is the folder in which links keep what must survive a crash. It is that of --store, else of DATABAY_STORE in the
environment, else that of the configuration, else ./.databay.

Exit code: 0 when all is well, 1 when something is damaged or could not be done, 2 for bad arguments.
${examples([
  ['databay store check', 'read all of it, and say what is damaged; while it is in use, too'],
  ['databay store salvage', 'make a new store of all that is not damaged, and keep the old one'],
  ['databay store vacuum --store /data', 'make its file as short as it can be'],
])}`

const AFTER_CHECK = `
Reads the whole store and compares each row with its checksum. It changes nothing, and works while a planner uses the store.
`

const AFTER_SALVAGE = `
Makes a new store of all rows that are what was written, and puts it in the place of the damaged one, which is kept beside it.
No planner may use the store meanwhile. Inlets whose cursor is lost begin as at their first start: the cursors that were saved
are listed.
`

const AFTER_VACUUM = `
Writes the file of the store as short as it can be, which takes as much room on the disk again meanwhile. No planner may use the
store. It is hardly ever needed: planners give free space back by themselves.
`

/** Makes the options that say where the store is. */
export function storeOptions(): Option[] {
  const store = 'folder of the store (default: DATABAY_STORE, else that of the configuration, else ./.databay)'
  return [valued('--store <folder>', store, checkPath), ...configOptions()]
}

/** Adds the command `store` to the program. */
export function addStore(program: Command, onStore: (store: StoreArguments) => void): void {
  const store = program
    .command('store')
    .description('check, salvage or vacuum the store in which links keep their state')
    .addHelpText('after', AFTER_HELP)
  const add = (action: StoreAction, description: string, after: string) => {
    const command = store.command(action).description(description)
    for (const option of storeOptions()) command.addOption(option)
    command
      .option('--json', 'one JSON document on standard output')
      .addOption(noColorOption())
      .addHelpText('after', after)
      .action((flags: Partial<StoreArguments>) => {
        const { store, json = false, color = true } = flags
        const where = { ...configFlags(flags), ...(store === undefined ? {} : { store }) }
        onStore({ command: 'store', action, json, color, ...where })
      })
  }
  add('check', 'read the whole store, and say what is damaged', AFTER_CHECK)
  add('salvage', 'make a new store of all that is not damaged', AFTER_SALVAGE)
  add('vacuum', 'make the file of the store as short as it can be', AFTER_VACUUM)
}
