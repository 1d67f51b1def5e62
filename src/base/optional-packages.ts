import { MissingDependencyError, toError } from './errors.js'

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
 */
export async function loadOptional<M>({ name, range, load }: OptionalPackage<M>, connector: string): Promise<M> {
  try {
    return await load()
  } catch (cause) {
    throw new MissingDependencyError(
      `${connector} needs the package ${name}, which cannot be loaded: npm install ${name}@${range} (${toError(cause).message})`,
      { cause },
    )
  }
}
