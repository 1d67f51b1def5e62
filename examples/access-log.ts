/** Requests in nginx's access log, counted by minute and class of status, in a CSV file. Reads on over rotation and restarts. */
import { CsvOutlet, FileInlet, Link, Record } from 'databay'

const { ACCESS_LOG = '/var/log/nginx/access.log', COUNTS_CSV = 'counts.csv' } = process.env

// 127.0.0.1 - - [27/Nov/2026:10:15:59 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8"
const REQUEST = /\[(\d+)\/(\w+)\/(\d+):(\d\d:\d\d):\d\d (\S+)\] ".*?" (\d)\d\d /
const NOTHING = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, other: 0 }

/** Makes one record for each minute. What is no request is counted, too, so that the sum is the number of lines. */
function count(lines: Record<string>[]) {
  const minutes = new Map<string, typeof NOTHING & { minute: string }>()
  for (const { payload } of lines) {
    const [, day, month, year, time, zone, status] = REQUEST.exec(payload) ?? []
    const at = new Date(`${day} ${month} ${year} ${time} ${zone}`)
    const minute = Number.isNaN(at.valueOf()) ? 'unreadable' : `${at.toISOString().slice(0, 16)}Z`
    const counts = minutes.get(minute) ?? { minute, ...NOTHING }
    const column = `${status}xx`
    counts[column in NOTHING ? (column as keyof typeof NOTHING) : 'other']++
    minutes.set(minute, counts)
  }
  return [...minutes.values()].map((counts) => new Record(counts))
}

export const requests = new Link({
  inlets: new FileInlet(ACCESS_LOG, {
    linesPerTransfer: 100_000,
    missing: 'await', // nginx may not have begun it
    positionFile: `${COUNTS_CSV}.position`,
  }),
  processors: count,
  outlets: new CsvOutlet(COUNTS_CSV),
  interval: { minutes: 1 },
  alignToClock: true,
})
