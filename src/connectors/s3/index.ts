/** The connectors of S3: `databay/s3`. The package's root exports them too. */
export { HttpError } from '../http/errors.js'
