import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { toError } from '../../base/errors.js'
import { printableLines } from '../../base/printable.js'
import { installed } from '../installed.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'
import type { CreateArguments } from './arguments.js'
import { dependencyOn } from './dependency.js'
import { projectFiles } from './template.js'

/** The command `databay create`: writes a project. */
export function createCommand({ folder, language }: CreateArguments, { stdout, stderr }: ProcessContext): Ending {
  const root = path.resolve(folder)
  const files = projectFiles(packageName(root), dependencyOn(installed()), language)
  try {
    checkEmpty(root)
    for (const [file, text] of Object.entries(files)) {
      const target = path.join(root, file)
      mkdirSync(path.dirname(target), { recursive: true })
      writeFileSync(target, text, { flag: 'wx' })
    }
  } catch (thrown) {
    stderr.write(`databay: ${printableLines(`${folder}: ${toError(thrown).message}`)}\n`)
    return { code: EXIT.failed, signal: undefined }
  }
  const enter = root === path.resolve('.') ? [] : [`  cd ${quoted(folder)}`]
  const steps = [...enter, '  npm install', '  npm start   # runs the link until Ctrl-C', '  npm test']
  const names = Object.keys(files).map((file) => `  ${file}`)
  stdout.write(`${printableLines([`wrote ${folder}:`, ...names, 'Next:', ...steps].join('\n'))}\n`)
  return { code: EXIT.orderly, signal: undefined }
}

/** @throws when there is something in the folder that is not git's */
function checkEmpty(root: string): void {
  let entries: string[]
  try {
    entries = readdirSync(root)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw error
  }
  const [first] = entries.filter((entry) => entry !== '.git')
  if (first !== undefined) throw new Error(`expected a new or an empty folder, it has ${first} in it`)
}

/** Name of the project, as npm allows it. */
function packageName(root: string): string {
  const name = path
    .basename(root)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._~-]+/g, '-')
    .replaceAll(/^[._-]+|-+$/g, '')
  return name === '' || name === 'databay' || name === 'node_modules' ? 'databay-links' : name.slice(0, 200)
}

/** A folder for a shell command. */
function quoted(folder: string): string {
  return /^[\w./~-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", `'\\''`)}'`
}
