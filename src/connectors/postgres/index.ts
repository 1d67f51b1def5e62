/** The connectors of PostgreSQL: `databay/postgres`. The package's root exports them too. */
export { DatabaseError } from '../errors.js'
export type { PostgresConnectionOptions } from './connection-options.js'
export type { PostgresTable } from './identifiers.js'
export type { PostgresInletOptions } from './inlet/inlet-options.js'
export type {
  PostgresExtraColumns,
  PostgresJsonStrings,
  PostgresMode,
  PostgresOutletOptions,
} from './outlet/outlet-options.js'
export { PostgresInlet } from './postgres-inlet.js'
export { PostgresOutlet } from './postgres-outlet.js'
export type { PostgresTls } from './tls.js'
export type { PostgresTypes } from './inlet/type-options.js'
