/**
 * What an {@link HttpInlet} needs to pull: loaded when the first one starts, as every thread loads the inlet, and most have
 * none.
 */
export { openConnection } from './http-agents.js'
export { exchange } from './http-exchange.js'
export { Pages } from './http-pages.js'
export { withTries } from './http-retry.js'
