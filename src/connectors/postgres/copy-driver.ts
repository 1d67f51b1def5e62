import type { OptionalPackage } from '../../base/optional-packages.js'

/** Module of the streams of COPY. */
export type PgCopyStreams = typeof import('pg-copy-streams')

/** Package of the streams of COPY, which is loaded when an outlet starts that writes by COPY. */
export const COPY_DRIVER: OptionalPackage<PgCopyStreams> = {
  name: 'pg-copy-streams',
  range: '^7.0.0',
  load: () => import('pg-copy-streams'),
}
