/**
 * The parts that an {@link S3Inlet} needs to read objects. They are loaded when the first inlet starts, as every thread loads
 * its class, and most threads run none.
 */
export { keyFilter } from './new-objects.js'
export { ObjectsReader } from './objects-reader.js'
export { RecordCutters } from './record-cutter.js'
