import { env, HttpInlet, Link, PrintOutlet } from 'databay'

export const orders = new Link({
  inlets: new HttpInlet(env('ORDERS_URL'), { retry: { retries: 0 } }),
  outlets: new PrintOutlet(),
  interval: 0.5,
  tags: 'shop',
  // somebody is told: so a transfer that failed says nothing of the run as a whole
  ignoreExceptions: true,
})
