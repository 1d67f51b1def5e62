/** The connectors of HTTP: `databay/http`. The package's root exports them too. */
export { HttpError, type HttpErrorOptions, type HttpFailure } from './errors.js'
export { HttpInlet } from './http-inlet.js'
export type { HttpInletOptions } from './options.js'
