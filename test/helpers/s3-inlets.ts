import type { Test } from 'tap'
import type { S3InletOptions } from '../../src/connectors/s3/inlet/inlet-options.js'
import { S3Inlet } from '../../src/connectors/s3/s3-inlet.js'
import type { Cursor } from '../../src/core/cursor.js'
import type { Record } from '../../src/core/record.js'
import { Update } from '../../src/core/update.js'

/** Retries that do not hold up a test. */
export const QUICK = { retries: 3, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 5 } }

/** Lists of a pull, one after the other. */
export async function* listsOf<T>(
  inlet: S3Inlet<T>,
  update: Update,
  cursor?: Cursor,
): AsyncGenerator<Record<T>[], void> {
  const pulled = await inlet.pull(update, cursor)
  if (Array.isArray(pulled)) yield pulled
  else yield* pulled as AsyncIterable<Record<T>[]>
}

/** Starts an inlet, which is shut down when the test ends. */
export async function startedS3Inlet<T = unknown>(t: Test, options: S3InletOptions) {
  const inlet = new S3Inlet<T>({ retry: QUICK, ...options })
  await inlet.tryStart()
  t.teardown(() => inlet.tryShutdown())
  let updates = 0
  /** Records of a transfer, of which all are delivered, or none, or the first lists. */
  const records = async (delivered: boolean | number = true): Promise<Record<T>[]> => {
    const update = new Update(['test'], ++updates)
    const all: Record<T>[] = []
    let rounds = 0
    let isWhole = false
    try {
      for await (const list of listsOf(inlet, update)) {
        if (list.length > 0) rounds++
        all.push(...list)
      }
      isWhole = true
    } finally {
      const deliveredRounds = delivered === true ? rounds : Number(delivered)
      inlet.onTransferEnd(update, isWhole && delivered === true, { rounds, deliveredRounds })
    }
    return all
  }
  const pull = async (delivered: boolean | number = true): Promise<T[]> =>
    (await records(delivered)).map(({ payload }) => payload)
  return { inlet, pull, records }
}
