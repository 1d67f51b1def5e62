import type { Duration } from '../../base/duration.js'
import { InvalidOptionError } from '../../base/errors.js'
import { custom, flag, func, given, path, timer, type Resolved, type Spec } from '../../base/options.js'
import { retry, type RetryOptions } from '../../base/retry.js'
import { revealed, type Secret } from '../../base/secret.js'
import { environment } from '../http/environment.js'
import { checkProxy } from '../http/proxy.js'
import { HIDDEN } from '../http/request-headers.js'
import { checkGiven, type GivenCredentials, type S3Credentials } from './credentials.js'

/** Options of the connection of an inlet or outlet to S3. */
export interface S3ConnectionOptions {
  /** Name of the bucket. */
  readonly bucket: string
  /**
   * Region of the bucket.
   * @default AWS_REGION or AWS_DEFAULT_REGION of the environment, otherwise 'us-east-1'
   */
  readonly region?: string
  /**
   * URL of a storage other than that of AWS, like `https://minio.example.com:9000`.
   * @default AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL of the environment, otherwise that of AWS
   */
  readonly endpoint?: string | Secret
  /**
   * Whether the bucket is in the path of URLs, and not in their host.
   * @default true with an endpoint, and for a bucket whose name does not fit into a host
   */
  readonly pathStyle?: boolean
  /**
   * Name of the access key.
   * @default AWS_ACCESS_KEY_ID of the environment
   */
  readonly accessKeyId?: string | Secret
  /**
   * The secret of the access key.
   * @default AWS_SECRET_ACCESS_KEY of the environment
   */
  readonly secretAccessKey?: string | Secret
  /**
   * Token of an access key that is lent for a time.
   * @default AWS_SESSION_TOKEN of the environment
   */
  readonly sessionToken?: string | Secret
  /**
   * Function that gives credentials, such as `fromNodeProviderChain()` of `@aws-sdk/credential-providers`. It is called at the
   * start, before they expire, and when the storage says that they have expired.
   * @default undefined - the access key
   */
  readonly credentials?: () => Promise<S3Credentials> | S3Credentials
  /**
   * Path of a file of certificates to trust in addition to those that Node trusts.
   * @default undefined - none
   */
  readonly cacert?: string
  /**
   * URL of a proxy; `false` for none.
   * @default undefined - as the environment says
   */
  readonly proxy?: string | Secret | false
  /**
   * Time to connect, in seconds or as a duration.
   * @default 10
   */
  readonly connectTimeout?: number | Duration
  /**
   * Longest time without a byte from or to the storage, in seconds or as a duration.
   * @default 60
   */
  readonly socketTimeout?: number | Duration
  /**
   * Retries of a request that failed for a reason that may pass, such as a broken connection or a `SlowDown`.
   * @default { retries: 5, minDelay: 0.1, maxDelay: 10 }
   */
  readonly retry?: RetryOptions
}

/** Table of the options of the connection of an inlet or outlet. */
export const S3_CONNECTION_OPTIONS = {
  // these are checked together, and errors must not show all of their values
  bucket: given<string>(),
  region: given<string>("AWS_REGION or AWS_DEFAULT_REGION of the environment, otherwise 'us-east-1'"),
  endpoint: given<string | Secret>('AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL of the environment, otherwise that of AWS'),
  pathStyle: flag(undefined, 'true with an endpoint, and for a bucket whose name does not fit into a host'),
  accessKeyId: given<string | Secret>('AWS_ACCESS_KEY_ID of the environment'),
  secretAccessKey: given<string | Secret>('AWS_SECRET_ACCESS_KEY of the environment'),
  sessionToken: given<string | Secret>('AWS_SESSION_TOKEN of the environment'),
  credentials: func<() => Promise<S3Credentials> | S3Credentials>(undefined, 'undefined - the access key'),
  cacert: path('undefined - none'),
  proxy: custom(readProxy, 'undefined - as the environment says'),
  connectTimeout: timer(10_000),
  socketTimeout: timer(60_000),
  retry: retry({ retries: 5, minDelay: 100, maxDelay: 10_000 }),
} satisfies Spec<S3ConnectionOptions>

type ReadOptions = Resolved<typeof S3_CONNECTION_OPTIONS>

/** {@link S3ConnectionOptions}, resolved. Lengths of time are in milliseconds. */
export interface S3ConnectionSettings extends Pick<
  ReadOptions,
  'cacert' | 'proxy' | 'connectTimeout' | 'socketTimeout' | 'retry'
> {
  readonly bucket: string
  readonly region: string
  /** URL of the bucket, without a slash at its end. */
  readonly bucketUrl: string
  /** Host of the storage, as errors show it; `undefined` for that of AWS. */
  readonly host: string | undefined
  /** Credentials of the options; `undefined` for those of the environment. */
  readonly credentials: GivenCredentials | undefined
}

/**
 * Resolves options that depend on each other.
 *
 * @param connector - name of the inlet or outlet, for errors
 * @throws {@link InvalidOptionError}
 */
export function resolveConnection(connector: string, options: ReadOptions): S3ConnectionSettings {
  const { cacert, proxy, connectTimeout, socketTimeout, retry } = options
  const variables = environment()
  const bucket = checkBucket(`${connector}.bucket`, options.bucket)
  const region = checkRegion(
    `${connector}.region`,
    options.region ?? (variables['AWS_REGION'] || variables['AWS_DEFAULT_REGION'] || 'us-east-1'),
  )
  const given = revealed(options.endpoint)
  const ofEnvironment = variables['AWS_ENDPOINT_URL_S3'] || variables['AWS_ENDPOINT_URL'] || undefined
  const named = given === undefined ? 'AWS_ENDPOINT_URL' : `${connector}.endpoint`
  const custom = given ?? ofEnvironment
  const endpoint = custom === undefined ? new URL(`https://s3.${domainOf(region)}`) : checkEndpoint(named, custom)
  // a certificate for all buckets of a host is for names without dots
  const fitsHost = /^[a-z\d][a-z\d-]{1,61}[a-z\d]$/.test(bucket)
  const pathStyle = options.pathStyle ?? (custom !== undefined || !fitsHost)
  return Object.freeze({
    bucket,
    region,
    bucketUrl: bucketUrl(endpoint, bucket, pathStyle),
    host: custom === undefined ? undefined : endpoint.host,
    credentials: checkGiven(connector, options),
    cacert,
    proxy,
    connectTimeout: Math.round(connectTimeout),
    socketTimeout: Math.round(socketTimeout),
    retry,
  })
}

function domainOf(region: string): string {
  return `${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

function bucketUrl({ protocol, host, pathname }: URL, bucket: string, pathStyle: boolean): string {
  const path = pathname.replace(/\/+$/, '')
  return pathStyle ? `${protocol}//${host}${path}/${bucket}` : `${protocol}//${bucket}.${host}${path}`
}

function checkBucket(option: string, bucket: unknown): string {
  // in some regions, older buckets have upper case and underscores
  if (typeof bucket === 'string' && /^(?!.*\.\.)[A-Za-z\d][\w.-]{1,253}[A-Za-z\d]$/.test(bucket)) return bucket
  const hint =
    typeof bucket === 'string' && /[/:]/.test(bucket)
      ? 'give its name alone, without s3:// and without a prefix'
      : undefined
  throw new InvalidOptionError(option, 'the name of a bucket', bucket, { hint })
}

function checkRegion(option: string, region: unknown): string {
  if (typeof region === 'string' && /^[a-z\d][a-z\d-]{0,62}$/i.test(region)) return region
  throw new InvalidOptionError(option, "a region like 'eu-central-1'", region)
}

function checkEndpoint(option: string, endpoint: unknown): URL {
  const expected = 'a URL of a storage that starts with http:// or https://, without credentials and query'
  const url = typeof endpoint === 'string' && URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const isPlain = url !== undefined && [url.username, url.password, url.search, url.hash].every((part) => part === '')
  const hasAt = typeof endpoint === 'string' && endpoint.includes('@')
  if (isPlain && !hasAt && /^https?:$/.test(url.protocol)) return url
  // it may have credentials
  const hint = hasAt ? 'credentials are options of their own: accessKeyId and secretAccessKey' : undefined
  throw new InvalidOptionError(option, expected, HIDDEN, { hint })
}

// not that of HTTP, whose types need those of Node
function readProxy(name: string, proxy: string | Secret | false | undefined): string | false | undefined {
  return proxy === undefined || proxy === false ? proxy : checkProxy(name, proxy)
}
