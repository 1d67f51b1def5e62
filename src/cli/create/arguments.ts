import type { Command } from 'commander'
import { examples, noColorOption } from '../arguments.js'
import type { Language } from './template.js'

/** The command line of `databay create`, checked. */
export interface CreateArguments {
  readonly command: 'create'
  /** Folder of the project. */
  readonly folder: string
  /** Language of the project. */
  readonly language: Language
  readonly color: boolean
}

interface CreateOptions {
  readonly javascript?: boolean
  readonly color?: boolean
}

const AFTER_HELP = `
The project has a link module, a test of it, a small CSV file to read, and two commands, "npm start" and "npm test". It
is in TypeScript, or in JavaScript with --javascript, which needs no compiler. It depends on the databay that wrote it: on
its version, or on its files when that is a clone or a tarball.
Nothing is installed. A folder that has files in it already is left as it is.

Exit code: 0 when the project is written, 1 when it could not be, 2 for bad arguments.
${examples([
  ['databay create my-links', 'a project in a new folder'],
  ['databay create my-links --js', 'the same in JavaScript'],
  ['databay create .', 'a project in this folder, which must be empty'],
])}`

/** Adds the command `create` to the program. */
export function addCreate(program: Command, onCreate: (create: CreateArguments) => void): void {
  program
    .command('create')
    .description('write a project with a link, a test of it, and the commands to run both')
    .argument('<folder>', 'folder of the project: a new one, or an empty one')
    .option('--js, --javascript', 'JavaScript instead of TypeScript')
    .addOption(noColorOption())
    .addHelpText('after', AFTER_HELP)
    .action((folder: string, { javascript = false, color = true }: CreateOptions) => {
      onCreate({ command: 'create', folder, language: javascript ? 'JavaScript' : 'TypeScript', color })
    })
}
