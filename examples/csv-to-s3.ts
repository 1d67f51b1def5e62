/** CSV files of a folder to S3, a prefix for each day. Needs `npm install aws4fetch@^1.0.20 undici@^7.20`, and a store. */
import { readdirSync } from 'node:fs'
import { CsvInlet, Link, S3Outlet } from 'databay'
import { env, secret } from 'databay/config'

// files that come later are found at the next start
const folder = env('ORDERS_FOLDER', 'orders')
const files = readdirSync(folder).filter((name) => name.endsWith('.csv'))

/** A link for each file: where it is, is kept by the name of the file. */
export const orders = files.map(
  (name) =>
    new Link({
      id: name,
      delivery: 'cursor', // a restart goes on behind the last rows that are in S3
      // rows with the columns id, day, customer and total
      inlets: new CsvInlet(`${folder}/${name}`, { follow: false, rowsPerTransfer: 10_000 }),
      outlets: new S3Outlet({
        bucket: env('S3_BUCKET'),
        accessKeyId: secret('AWS_ACCESS_KEY_ID'),
        secretAccessKey: secret('AWS_SECRET_ACCESS_KEY'),
        // rows that are sent again, after a crash or a lost reply, have the same hash, and so the same object;
        // an S3Inlet reads these with order: 'modified', as the keys do not grow with time
        key: 'orders/day={payload.day}/{hash}.jsonl.gz',
        format: 'jsonl',
        gzip: true,
      }),
      interval: { minutes: 1 },
      onStartFailure: 'retry', // S3 may be down
    }),
)
