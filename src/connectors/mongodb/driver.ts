import type { OptionalPackage } from '../../base/optional-packages.js'

/** Module of the driver of MongoDB. */
export type Mongo = typeof import('mongodb')

/** Package of the driver, which is loaded when the first inlet or outlet of this folder starts. */
export const DRIVER: OptionalPackage<Mongo> = { name: 'mongodb', range: '^7', load: () => import('mongodb') }
