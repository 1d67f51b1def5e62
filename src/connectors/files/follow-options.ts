import { resolve } from 'node:path'
import { InvalidOptionError } from '../../base/errors.js'
import { flag, path, word, type Resolved, type Spec } from '../../base/options.js'

/** Options of inlets that follow a file. */
export interface FollowOptions {
  /**
   * What to do when there is no file to begin with: fail, or give no records until there is one. One that is deleted or
   * rotated later is awaited in any case, unless it is read as a whole.
   * @default 'error'
   */
  readonly missing?: 'error' | 'await'
  /**
   * Path of a file in which the inlet keeps how far it has read, so that it goes on there when it is started again,
   * in this process or another. One inlet alone can use it. It is written when the next transfer begins, and at the
   * shutdown: after an orderly shutdown nothing is read twice or left out. After a crash, the records of the last
   * transfer are read again. What buffers held is lost in a crash, and is not read again.
   * @default undefined - every start reads the file from its start
   */
  readonly positionFile?: string
  /**
   * Whether what was not delivered is read again: when a transfer failed, the next one begins where it did, also after a
   * restart. Then records come at least once, and until one is delivered none after it is: one that an outlet
   * always refuses holds up the file. Otherwise they come at most once, and what was not delivered is dropped.
   * @default `true` with a `positionFile`, otherwise `false`
   */
  readonly redeliver?: boolean
}

/** The options of inlets that follow a file. */
export const FOLLOW_OPTIONS = {
  missing: word(['error', 'await'], 'error'),
  positionFile: path('undefined - every start reads the file from its start'),
  redeliver: flag(undefined, '`true` with a `positionFile`, otherwise `false`'),
} satisfies Spec<FollowOptions>

/** {@link FollowOptions}, resolved. */
export type FollowSettings = Resolved<typeof FOLLOW_OPTIONS> & { readonly redeliver: boolean }

/**
 * Resolves what depends on more than one option.
 *
 * @param connector - name of the inlet's class, for errors
 * @param file - path of the file that is followed
 * @throws {@link InvalidOptionError}
 */
export function resolveFollow(
  connector: string,
  file: string,
  { missing, positionFile, redeliver }: Resolved<typeof FOLLOW_OPTIONS>,
): FollowSettings {
  if (positionFile !== undefined && resolve(positionFile) === resolve(file)) {
    throw new InvalidOptionError(`${connector}.positionFile`, 'another path than that of the file', positionFile)
  }
  return { missing, positionFile, redeliver: redeliver ?? positionFile !== undefined }
}
