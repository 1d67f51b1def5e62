import type { OptionalPackage } from '../../base/optional-packages.js'

/** Module that signs requests for S3. */
export type Aws4Fetch = typeof import('aws4fetch')

/** Package that signs requests for S3, which is loaded when the first inlet or outlet of this folder starts. */
export const SIGNER: OptionalPackage<Aws4Fetch> = {
  name: 'aws4fetch',
  range: '^1.0.20',
  load: () => import('aws4fetch'),
}
