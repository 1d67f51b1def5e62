/** The connectors of PostgreSQL: `databay/postgres`. The package's root exports them too. */
export { DatabaseError } from '../errors.js'
export type { PostgresConnectionOptions } from './connection-options.js'
export type { PostgresTable } from './identifiers.js'
export type { ExtraColumns, JsonStrings, PostgresMode, PostgresOutletOptions } from './outlet-options.js'
export { PostgresOutlet } from './postgres-outlet.js'
export type { PostgresTls } from './tls.js'
