import { MissingDependencyError, toError } from './errors.js'
import { FILES_OF_LIBRARY, FileShortageError, importLater } from './libraries.js'

/** Optional peer dependency, as the connector that needs it declares it. */
export interface OptionalPackage<M> {
  readonly name: string
  /** Versions that fit, as in `peerDependencies`. */
  readonly range: string
  readonly load: () => Promise<M>
}

/**
 * Loads an optional package at its first use, so that only users of its connector have to install it.
 *
 * @param connector - name of the connector, for the error
 * @throws {@link MissingDependencyError} that says what to install
 * @throws {@link FileShortageError} when there are too few file descriptors now
 */
export async function loadOptional<M>({ name, range, load }: OptionalPackage<M>, connector: string): Promise<M> {
  try {
    return await importLater(load, FILES_OF_LIBRARY)
  } catch (cause) {
    if (cause instanceof FileShortageError) throw cause
    throw new MissingDependencyError(
      `${connector} needs the package ${name}, which cannot be loaded: npm install ${name}@${range} (${toError(cause).message})`,
      { cause },
    )
  }
}
