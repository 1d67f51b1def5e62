import { readXml } from './xml.js'

/** Object in a bucket, as a listing has it. */
export interface S3Object {
  readonly key: string
  readonly size: number
  readonly etag: string
  /** Time at which it was stored, in milliseconds since 1970. */
  readonly lastModified: number
}

/** One page of a listing. */
export interface S3Page {
  readonly objects: S3Object[]
  /** Whether there are more objects behind these. */
  readonly isCut: boolean
  /** Token of the next page; `undefined` when this is the last one, or the storage tells none. */
  readonly next: string | undefined
}

/**
 * Reads a page of a listing.
 *
 * @param fail - makes the error of a text that is none
 */
export function readListing(text: string, fail: (why: string) => Error): S3Page {
  const xml = readXml(text)
  if (xml?.name !== 'ListBucketResult') throw fail('the response is no listing')
  const isEncoded = xml.text('EncodingType')?.toLowerCase() === 'url'
  const objects = xml.all('Contents').map((object) => {
    const key = object.text('Key') ?? ''
    return {
      key: isEncoded ? decoded(key, fail) : key,
      size: Number(object.text('Size') ?? 0),
      etag: object.text('ETag') ?? '',
      lastModified: Date.parse(object.text('LastModified') ?? ''),
    }
  })
  const isCut = xml.text('IsTruncated') === 'true'
  return { objects, isCut, next: isCut ? xml.text('NextContinuationToken') : undefined }
}

function decoded(key: string, fail: (why: string) => Error): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    throw fail('a key of the list is not encoded as it says')
  }
}
