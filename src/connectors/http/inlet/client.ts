/**
 * The parts that an {@link HttpInlet} needs to pull. They are loaded when the first inlet starts, as every thread loads
 * the inlet's class, and most threads run none.
 */
export { openConnection } from '../agents.js'
export { exchange } from '../exchange.js'
export { JsonLines } from './json-lines.js'
export { Pages } from './pages.js'
export { withTries } from '../retry.js'
