import type { MongoClientOptions } from 'mongodb'
import type { MongoConnectionSettings } from './connection-options.js'
import { namesInQuery } from './url.js'

/** Makes the options for the driver. An option of ours overrides the URL, and the URL overrides a default. */
export function driverOptions(settings: MongoConnectionSettings): MongoClientOptions {
  const { connectTimeout, socketTimeout, maxPoolSize } = settings
  const given = namesInQuery(settings.url)
  const choose = (name: keyof MongoClientOptions, option: number | undefined, otherwise: number) =>
    option === undefined && given.has(name.toLowerCase()) ? {} : { [name]: option ?? otherwise }
  return {
    ...choose('serverSelectionTimeoutMS', connectTimeout, 10_000),
    ...choose('connectTimeoutMS', connectTimeout, 10_000),
    ...choose('socketTimeoutMS', socketTimeout, 60_000),
    ...choose('waitQueueTimeoutMS', socketTimeout, 60_000),
    ...choose('maxPoolSize', maxPoolSize, 4),
    ...(given.has('appname') ? {} : { appName: 'databay' }),
  }
}
