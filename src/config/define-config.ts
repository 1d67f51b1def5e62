import type { MaybePromise } from '../base/maybe-promise.js'
import type { Url } from '../base/node-types.js'
import type { OneOrMany } from '../base/one-or-many.js'
import type { LinkOverrideSettings } from '../core/link-overrides.js'
import type { WorkerPlannerOptions } from '../planners/worker-planner-options.js'

/** What a configuration, or one of its profiles, says: link modules, options of the planner, and settings of links. */
export interface ProfileConfig extends WorkerPlannerOptions {
  /**
   * Link modules: paths, relative to the file, or URLs. A path with `*`, `?`, `[` or `{` stands for all files that fit it,
   * and one that begins with `!` leaves files out.
   */
  readonly modules?: OneOrMany<string | Url>
  /**
   * Settings that links have in the place of their own, by ids, or by tags as in `tag:mail`. A `*` stands for any characters.
   * Where a link fits several, the later one goes first, setting by setting.
   */
  readonly links?: { readonly [pattern: string]: LinkOverrideSettings }
}

/** What a configuration file exports. */
export interface DatabayConfig extends ProfileConfig {
  /** What is different in a profile, by its name: `--profile production` chooses one. */
  readonly profiles?: { readonly [name: string]: ProfileConfig }
}

/** What a function that gives a configuration is told. */
export interface ConfigContext {
  /** Name of the chosen profile. */
  readonly profile: string | undefined
}

/** A configuration, a promise of one, or a function that gives one. */
export type ConfigSource =
  DatabayConfig | Promise<DatabayConfig> | ((context: ConfigContext) => MaybePromise<DatabayConfig>)

/**
 * Gives what it is given: it is there for editors and the compiler, which then know what a configuration has.
 *
 * @example
 * ```ts
 * // databay.config.ts
 * export default defineConfig({ modules: './links/*.ts', threads: 4 })
 * ```
 */
export function defineConfig(config: ConfigSource): ConfigSource {
  return config
}
