/** The connectors of S3: `databay/s3`. The package's root exports them too. */
export type { S3ConnectionOptions } from './connection-options.js'
export type { S3Credentials } from './credentials.js'
export { S3Error, type S3ErrorOptions } from './errors.js'
export type { S3KeyNames } from './key-template.js'
export type { S3CsvOptions, S3Key, S3OutletOptions } from './outlet-options.js'
export { S3Outlet } from './s3-outlet.js'
