/**
 * What an {@link HttpInlet} needs to pull: loaded when the first one starts, as every thread loads the inlet, and most have
 * none.
 */
export { openConnection } from './agents.js'
export { exchange } from './exchange.js'
export { Pages } from './pages.js'
export { withTries } from './retry.js'
