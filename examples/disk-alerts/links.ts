/** Tells a chat by its webhook when the disk is nearly full: an inlet and an outlet of one's own. */
import { statfs } from 'node:fs/promises'
import { Inlet, Link, Outlet, type Record, type Update } from 'databay'

export class DiskInlet extends Inlet<number> {
  async pull() {
    const { blocks, bavail } = await statfs('/')
    return Math.round(100 * (1 - bavail / blocks)) // percent in use
  }
}

export class WebhookOutlet extends Outlet {
  async push(records: Record[], { signal }: Update) {
    const body = JSON.stringify(records.map(({ payload }) => payload))
    const { status } = await fetch(process.env['WEBHOOK_URL'] ?? '', { method: 'POST', body, signal })
    if (status >= 300) throw new Error(`the webhook answers with status ${status}`)
  }
}

export const diskAlerts = new Link({
  inlets: new DiskInlet(),
  processors: (disks) => disks.filter(({ payload }) => payload >= Number(process.env['DISK_LIMIT'] ?? 90)),
  outlets: new WebhookOutlet(),
  interval: { minutes: 5 },
})
