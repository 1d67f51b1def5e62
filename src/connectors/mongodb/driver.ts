import type { OptionalPackage } from '../../base/optional-packages.js'

/** The driver of MongoDB, as a module. */
export type Mongo = typeof import('mongodb')

/** The package that this folder's inlet and outlet need, loaded when the first of them starts. */
export const DRIVER: OptionalPackage<Mongo> = { name: 'mongodb', range: '^7', load: () => import('mongodb') }
