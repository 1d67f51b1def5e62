import { flag, path, word, type Resolved, type Spec } from '../../base/options.js'
import { retry, type RetryOptions } from '../../base/retry.js'

/** Ways to write a file: `a` appends to it, `w` replaces its content once in each transfer. */
export type FileMode = 'a' | 'w'

/** All {@link FileMode}s. */
export const FILE_MODES: readonly FileMode[] = ['a', 'w']

/** Options of outlets that write files: which files they write, and how. */
export interface TargetOptions {
  /**
   * Whether a push appends to a file (`a`), or replaces its content (`w`). With `w` it holds what the last transfer
   * wrote. Records can override this in their metadata. A push in which one of a file's records says `w` replaces the
   * file with all records of the push, unless the same transfer has replaced it before. A file is replaced as a whole:
   * a reader sees the old or the new one. Where that is not possible, as the file has several names or another owner,
   * or nothing can be created in its folder, it is emptied and then written; a failed write leaves it empty. Where inlets
   * stream, a new file takes its place after the last round; when the transfer fails or is told to stop, the old one stays,
   * and what the rounds wrote is dropped.
   * @default 'a'
   */
  readonly fileMode?: FileMode
  /**
   * With `fileMode: 'w'`: whether a transfer without records leaves the content of the file (`keep`), or replaces it, too
   * (`clear`). By default it is left, as with most inlets no records mean no news: nothing was added, or nothing changed.
   * Choose `clear` for a snapshot of a source that can be empty, read by an inlet that gives all of it each time. A
   * transfer that failed, or whose records a buffer holds, clears nothing. Nor are files cleared that records chose in
   * their metadata.
   * @default 'keep'
   */
  readonly whenEmpty?: 'keep' | 'clear'
  /**
   * Folder in which the metadata of records may choose files. A relative path in the metadata starts from here.
   * @default the folder of the outlet's file path
   */
  readonly baseFolder?: string
  /**
   * Whether the metadata of records may choose files outside `baseFolder`. Only for metadata that no outsider can
   * influence.
   * @default false
   */
  readonly allowAnyPath?: boolean
  /**
   * Whether a push waits until the disk has its bytes, so that they survive a loss of power. This is much slower.
   * @default false - the system writes it when it sees fit
   */
  readonly fsync?: boolean
  /**
   * Retries of a write that failed for want of something that may come back, such as disk space.
   * @default { retries: 3, minDelay: 0.1, maxDelay: 10 }
   */
  readonly retry?: RetryOptions
}

/** Table of the options of outlets that write files. */
export const TARGET_OPTIONS = {
  fileMode: word(FILE_MODES, 'a'),
  whenEmpty: word(['keep', 'clear'], 'keep'),
  baseFolder: path("the folder of the outlet's file path"),
  allowAnyPath: flag(false),
  fsync: flag(false, 'false - the system writes it when it sees fit'),
  retry: retry(),
} satisfies Spec<TargetOptions>

/** {@link TargetOptions}, resolved. */
export type TargetSettings = Resolved<typeof TARGET_OPTIONS>
