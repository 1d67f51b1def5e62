export { env, secret, type SecretReader } from '../base/environment.js'
export { Secret, type SecretText } from '../base/secret.js'
