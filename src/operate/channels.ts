import { channel } from 'node:diagnostics_channel'

/**
 * Channel `databay:transfer` of Node's `diagnostics_channel`: the report of each transfer that has ended is published to it, on
 * the main thread, as the event `transfer` gives it. It costs nothing while nobody has subscribed.
 */
export const transferEnded = channel('databay:transfer')
