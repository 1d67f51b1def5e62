import type { OptionalPackage } from '../../base/optional-packages.js'

/** Module of the driver of PostgreSQL. */
export type Pg = typeof import('pg')

/** Package of the driver, which is loaded when the first inlet or outlet of this folder starts. */
export const DRIVER: OptionalPackage<Pg> = { name: 'pg', range: '^8.16.0', load: () => import('pg') }
