import { FileOutlet, HttpInlet, Link } from 'databay'

export const rates = new Link({
  inlets: new HttpInlet(process.env['RATES_URL'] ?? 'https://some.test.url.com/rates'),
  outlets: new FileOutlet(process.env['RATES_FILE'] ?? 'rates.jsonl'),
  interval: Number(process.env['RATES_SECONDS'] ?? 10),
})
