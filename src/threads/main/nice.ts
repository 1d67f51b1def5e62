import { createRequire } from 'node:module'
import { MissingDependencyError, toError } from '../../base/errors.js'

/** The package by which Piscina sets the priority of a thread: an optional dependency of its own. */
const NICE = '@napi-rs/nice'

/**
 * The nice increment that Piscina gives its threads: 0 elsewhere than on Linux, where it would apply to the whole
 * process.
 */
export function niceIncrementOf(asked = 0, platform: NodeJS.Platform = process.platform): number {
  return platform === 'linux' ? asked : 0
}

/**
 * Checks that threads can be made as nice as asked for: Piscina says nothing when they cannot.
 *
 * @param load - loads the package
 * @throws {@link MissingDependencyError} when they cannot
 */
export function checkNiceable(niceIncrement: number | undefined, load: () => unknown = loadNice): void {
  if (niceIncrementOf(niceIncrement) === 0) return
  try {
    load()
  } catch (cause) {
    throw new MissingDependencyError(
      `niceIncrement needs the package ${NICE}, which cannot be loaded: npm install ${NICE}@^1 (${toError(cause).message})`,
      { cause },
    )
  }
}

/** Loads the package from where Piscina does. */
function loadNice(): unknown {
  const piscina = createRequire(import.meta.url).resolve('piscina')
  return createRequire(piscina)(NICE)
}
