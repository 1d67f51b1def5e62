import fc from 'fast-check'

/*
 * Properties are checked with the same examples each time, so that a test fails because of a change, and of that change.
 * `npm run test:properties` checks all of them with others. A failure names its seed: `PROPERTY_SEED=<seed>` repeats it.
 */
const seed = process.env['PROPERTY_SEED'] ?? '1'
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) })

export default fc
