import { counted } from '../../base/counted.js'
import { existsSync, realpathSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { InvalidOptionError, toError } from '../../base/errors.js'
import { printable } from '../../base/printable.js'
import { storeFiles } from '../../store/store-files.js'
import { StoreError } from '../../store/errors.js'
import type { DeadLettersArguments } from './arguments.js'
import { letterDocument, recordOf } from './letter-text.js'
import type { Output } from './output.js'
import type { Selected } from './selected.js'

/**
 * Writes letters with their records, slice by slice.
 *
 * @param folder - of the store
 * @param output - where they go without `--output`
 * @returns what is wrong
 * @throws {@link InvalidOptionError} when the file is there, or belongs to the store
 * @throws {@link StoreError} when the file cannot be written
 */
export async function exportLetters(
  selected: Selected,
  { output: file, force, json }: DeadLettersArguments,
  folder: string,
  output: Output,
): Promise<readonly string[]> {
  if (selected.count() === 0) selected.checkNames()
  if (file === undefined) return (await written(selected, output)).problems
  const handle = await opened(checkFile(file, folder), file, force)
  try {
    const { exported, problems } = await written(selected, outputToFile(handle, file))
    const text = `${counted(exported, 'dead letter')} in ${file}`
    await output.lines([json ? JSON.stringify({ exported, file }) : printable(text)])
    return problems
  } finally {
    await handle.close()
  }
}

interface Exported {
  readonly exported: number
  readonly problems: readonly string[]
}

async function written(selected: Selected, output: Output): Promise<Exported> {
  const problems: string[] = []
  let exported = 0
  for (const slice of selected.slices()) {
    const lines = slice.map((letter) => {
      const record = recordOf(selected.letters, letter.id)
      if (record !== undefined && 'problem' in record) problems.push(`${record.problem}: it is exported without`)
      return JSON.stringify(letterDocument(letter, record))
    })
    if (!(await output.lines(lines))) break
    exported += lines.length
  }
  return { exported, problems: [...problems, ...selected.problems()] }
}

function outputToFile(handle: FileHandle, file: string): Output {
  return {
    lines: async (lines) => {
      try {
        await handle.appendFile(lines.map((line) => `${line}\n`).join(''))
        return true
      } catch (cause) {
        throw new StoreError(`${file} is not all of them, as it cannot be written: ${toError(cause).message}`, {
          cause,
        })
      }
    },
  }
}

/**
 * The real path of a file that letters are written to. Those of the store are none: to write one would destroy the store.
 *
 * @throws {@link InvalidOptionError}
 */
function checkFile(file: string, folder: string): string {
  const path = resolve(file)
  const parent = dirname(path)
  if (!existsSync(parent)) throw new InvalidOptionError('--output', 'a file in a folder that exists', file)
  const real = existsSync(path) ? realpathSync(path) : join(realpathSync(parent), basename(path))
  if (dirname(real) === realpathSync(storeFiles(folder).folder)) {
    throw new InvalidOptionError('--output', 'a file outside of the folder of the store', file)
  }
  return path
}

async function opened(path: string, file: string, force: boolean): Promise<FileHandle> {
  try {
    const handle = await open(path, force ? 'w' : 'wx', 0o600)
    // one that was there has rights of its own
    await handle.chmod(0o600)
    return handle
  } catch (thrown) {
    const error = toError(thrown) as NodeJS.ErrnoException
    if (error.code === 'EEXIST')
      throw new InvalidOptionError('--output', 'a file that is not there yet, or --force', file)
    throw new InvalidOptionError('--output', 'a file that can be written', file, { cause: error, hint: error.message })
  }
}
