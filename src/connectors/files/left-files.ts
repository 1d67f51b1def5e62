import { readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { getLogger } from '../../base/log.js'
import { toError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import { Claim } from './claim.js'

const crypto = lazy<typeof import('node:crypto')>('node:crypto')

/*
 * A new file that is written round by round lies in its folder for as long as its transfer takes. Should its thread or
 * process be killed, it is left there. Its writer has a claim on it, which ends with the writer. Claims are of one machine:
 * so the name of the file says which one made it.
 */

/** Path of a new file in a folder: no other process uses it, nor can it put a link there for us to follow. */
export function newPath(folder: string): string {
  // short enough for any folder
  return path.join(folder, `${prefix()}${crypto().randomUUID()}.new`)
}

/** Removes new files in a folder that threads or processes of this machine have left there. Never rejects. */
export async function removeLeft(folder: string): Promise<void> {
  try {
    const begin = prefix()
    const all = await readdir(folder)
    const left = all.filter((name) => name.startsWith(begin) && name.endsWith('.new'))
    for (const name of left) await removeOne(path.join(folder, name))
  } catch (error) {
    getLogger('databay.files').debug({ err: toError(error) }, 'cannot look for files that were left in %s', folder)
  }
}

async function removeOne(file: string): Promise<void> {
  const claim = await Claim.take(file, 'an outlet that removes it')
  if (!(claim instanceof Claim)) return
  try {
    // where claims cannot be taken, nobody knows whether somebody writes it
    if (!claim.isTaken) return
    await rm(file, { force: true })
    getLogger('databay.files').warn('removed %s: a thread or process that was lost had not finished it', file)
  } finally {
    await claim.release()
  }
}

let known: string | undefined

function prefix(): string {
  known ??= `.databay-${crypto().createHash('sha256').update(hostname()).digest('hex').slice(0, 12)}-`
  return known
}
