import { MissingDependencyError, toError } from './errors.js'

/** The optional packages. Add one here and below. */
interface Packages {
  readonly mongodb: typeof import('mongodb')
  readonly undici: typeof import('undici')
}

/** Which versions of each fit, and how it is loaded. */
const PACKAGES: { readonly [N in keyof Packages]: Optional<Packages[N]> } = {
  mongodb: { range: '^7', load: () => import('mongodb') },
  undici: { range: '^7', load: () => import('undici') },
}

interface Optional<M> {
  readonly range: string
  readonly load: () => Promise<M>
}

/**
 * Loads an optional package at its first use, so that only those who use its connector have to install it.
 *
 * @param name - the package
 * @param connector - what needs it, for the error
 * @throws {@link MissingDependencyError} that says what to install
 */
export async function loadOptional<N extends keyof Packages>(name: N, connector: string): Promise<Packages[N]> {
  const { range, load } = PACKAGES[name]
  try {
    return await load()
  } catch (cause) {
    throw new MissingDependencyError(
      `${connector} needs the package ${name}, which cannot be loaded: npm install ${name}@${range} (${toError(cause).message})`,
      { cause },
    )
  }
}
