import { resolve } from 'node:path'
import { InvalidOptionError } from '../../base/errors.js'
import { flag, path, word, type Resolved, type Spec } from '../../base/options.js'

/** Options of inlets that follow a file. */
export interface FollowOptions {
  /**
   * Behaviour without a file at the start: to fail, or to give no records until the file exists. A file that is deleted
   * or rotated later is awaited in any case, unless it is read as a whole.
   * @default 'error'
   */
  readonly missing?: 'error' | 'await'
  /**
   * Whether the file may still grow: then its last record waits until it has its line end. `false` reads a file that is
   * complete to its end, with its last record. What is added to it later, or takes its place, is read likewise. A
   * compressed file is always complete.
   * @default true
   */
  readonly follow?: boolean
  /**
   * Path of a file in which the inlet keeps its position, so that it goes on there at its next start, in this process
   * or another. Only one inlet of a machine can use the file: a second one does not start. Its folder is made. It is
   * written when a transfer has ended, and at the shutdown: after an orderly shutdown nothing is read twice or left out.
   * After a crash, the records of the transfer that ran are read again, and those that buffers held.
   * @default undefined - every start reads the file from its start
   */
  readonly positionFile?: string
  /**
   * Whether records that were not delivered are read again: after a failed transfer, the next one begins where that one
   * did, also after a restart. Then records come at least once, in order: a record that an outlet always refuses holds
   * up the file. Otherwise they come at most once, and what was not delivered is dropped.
   * @default `true` with a `positionFile`, otherwise `false`
   */
  readonly redeliver?: boolean
}

/** Table of the options of inlets that follow a file. */
export const FOLLOW_OPTIONS = {
  missing: word(['error', 'await'], 'error'),
  follow: flag(true),
  positionFile: path('undefined - every start reads the file from its start'),
  redeliver: flag(undefined, '`true` with a `positionFile`, otherwise `false`'),
} satisfies Spec<FollowOptions>

/** {@link FollowOptions}, resolved. */
export type FollowSettings = Resolved<typeof FOLLOW_OPTIONS> & { readonly redeliver: boolean }

/**
 * Resolves options that depend on each other.
 *
 * @param connector - name of the inlet's class, for errors
 * @param file - path of the file that is followed
 * @throws {@link InvalidOptionError}
 */
export function resolveFollow(
  connector: string,
  file: string,
  { missing, follow, positionFile, redeliver }: Resolved<typeof FOLLOW_OPTIONS>,
): FollowSettings {
  if (positionFile !== undefined && resolve(positionFile) === resolve(file)) {
    throw new InvalidOptionError(`${connector}.positionFile`, 'another path than that of the file', positionFile)
  }
  return { missing, follow, positionFile, redeliver: redeliver ?? positionFile !== undefined }
}
