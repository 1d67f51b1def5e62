import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { InvalidOptionError } from '../base/errors.js'
import type { Environment } from './environment.js'

/**
 * Variables of files as Node reads them with its own `--env-file`: a later file goes before an earlier one, and what is in the
 * environment already before all of them.
 *
 * @returns what the files add to the environment
 * @throws {@link InvalidOptionError} when a file cannot be read
 */
export function readEnvFiles(option: string, files: readonly string[], environment: Environment): Environment {
  const all = Object.assign({}, ...files.map((file) => parseEnv(textOf(option, file)))) as Environment
  return Object.fromEntries(Object.entries(all).filter(([name]) => environment[name] === undefined))
}

function textOf(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new InvalidOptionError(option, 'a file that can be read', file, { cause })
  }
}
