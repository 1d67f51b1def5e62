import fc from 'fast-check'

/*
 * Properties are checked with the same examples each time, so that a test fails because of a change, and of that change.
 * `npm run test:properties` checks all of them with others. A failure names its seed: `PROPERTY_SEED=<seed>` repeats it.
 */
const { PROPERTY_SEED } = process.env
const seed = PROPERTY_SEED ?? '1'
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) })

/** Number of runs of a property that takes long: a fifth of all where a seed is not asked for. */
export const runsOf = (all: number): number => (PROPERTY_SEED === undefined ? Math.ceil(0.2 * all) : all)

export default fc
