import { DEFAULT_OUTPUT } from './paths.js'

/**
 * Settings of the link module. A link module is loaded inside the threads, where it has no arguments. Threads inherit the
 * environment, so it reads its settings from there.
 */
export interface Settings {
  /**
   * URL of the feed. `{part}` in it stands for the part of the link that polls.
   * @default {@link LIVE_FEED}
   */
  readonly feed: string
  /**
   * Folder for the CSV files.
   * @default {@link DEFAULT_OUTPUT}
   */
  readonly output: string
  /**
   * Seconds between two polls of a link.
   * @default 60
   */
  readonly interval: number
  /**
   * Millions of random draws of a fit. One is plenty for the result; the default keeps two threads busy for some seconds
   * while the feed is replayed.
   * @default 8
   */
  readonly work: number
}

export const LIVE_FEED = 'https://earthquake.usgs.gov/earthquakes/feed/v1.0/summary/all_day.geojson'
export const LIVE_INTERVAL = 60
export const DEFAULT_WORK = 8

interface Environment {
  readonly [name: string]: string | undefined
}

/** Reads the settings from the environment; throws when a number is none. */
export function readSettings(environment: Environment = process.env): Settings {
  return {
    feed: environment['QUICKSTART_FEED'] ?? LIVE_FEED,
    output: environment['QUICKSTART_OUTPUT'] ?? DEFAULT_OUTPUT,
    interval: positive('QUICKSTART_INTERVAL', environment, LIVE_INTERVAL),
    work: positive('QUICKSTART_WORK', environment, DEFAULT_WORK),
  }
}

/** Makes the environment variables for these settings. */
export function toEnvironment(settings: Settings): { readonly [name: string]: string } {
  return {
    QUICKSTART_FEED: settings.feed,
    QUICKSTART_OUTPUT: settings.output,
    QUICKSTART_INTERVAL: String(settings.interval),
    QUICKSTART_WORK: String(settings.work),
  }
}

function positive(name: string, environment: Environment, otherwise: number): number {
  const text = environment[name]
  const value = text === undefined ? otherwise : Number(text)
  if (!(value > 0 && Number.isFinite(value))) {
    throw new RangeError(`${name}: expected a number above 0, got '${String(text)}'`)
  }
  return value
}
