/**
 * databay/config: what configuration files are written with.
 *
 * @packageDocumentation
 */
export { env, secret, type SecretReader } from '../base/environment.js'
export { Secret, type SecretText } from '../base/secret.js'
export {
  defineConfig,
  type ConfigContext,
  type ConfigSource,
  type DatabayConfig,
  type ProfileConfig,
} from './define-config.js'
export type { LinkOverrideSettings } from '../core/link-overrides.js'
