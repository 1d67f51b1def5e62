/**
 * Customers of a large CSV file, without their e-mail addresses, to a folder for each country: from one to five in the
 * night, 10,000 a minute. Each transfer writes files of its own: one that is made again, after a crash, replaces them.
 */
import { scryptSync } from 'node:crypto'
import { CsvInlet, CsvOutlet, Link, Record, type CsvRow } from 'databay'

const { CUSTOMERS_CSV = 'customers.csv', CUSTOMERS_FOLDER = 'customers', CUSTOMERS_SALT } = process.env
const { CUSTOMERS_A_MINUTE = '10000' } = process.env
if (CUSTOMERS_SALT === undefined) throw new Error('CUSTOMERS_SALT is not set')

/** Takes a core for two milliseconds, so that nobody can try out all addresses. It holds up nothing but its thread. */
const pseudonym = (email: string) => scryptSync(email, CUSTOMERS_SALT, 16, { N: 1024 }).toString('hex')

function pseudonymize(customers: Record<CsvRow>[]) {
  const first = String(customers[0]?.payload['id'])
  return customers.map(({ payload: { email, ...rest }, metadata }) => {
    const file = `${String(rest['country'])}/from-${first}.csv`
    return new Record({ ...rest, person: pseudonym(String(email)) }, { ...metadata, [CsvOutlet.CSV_FILE]: file })
  })
}

export const customers = new Link({
  inlets: new CsvInlet(CUSTOMERS_CSV, {
    rowsPerTransfer: Number(CUSTOMERS_A_MINUTE),
    badRows: 'skip', // they are counted and logged
    positionFile: `${CUSTOMERS_FOLDER}.position`,
  }),
  processors: pseudonymize,
  outlets: new CsvOutlet(`${CUSTOMERS_FOLDER}/others.csv`, { fileMode: 'w' }),
  cron: '* 1-4 * * *',
})
