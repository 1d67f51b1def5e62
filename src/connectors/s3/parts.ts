/**
 * The parts that a connection to S3 needs. They are loaded when the first inlet or outlet starts, as every thread loads
 * their classes, and most threads run none.
 */
export { openConnection } from '../http/agents.js'
export { readListing } from './listing.js'
export { SignedRequests } from './signed-requests.js'
