/** What a {@link MongoOutlet} needs to write: loaded by its first push, as every thread loads the outlet, and most have none. */
export { toEntries } from './documents.js'
export { MongoWriter } from './writer.js'
