/** The connectors of PostgreSQL: `databay/postgres`. The package's root exports them too. */
export { DatabaseError } from '../errors.js'
