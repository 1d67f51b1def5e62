/** Language of a new project. */
export type Language = 'TypeScript' | 'JavaScript'

/**
 * Files of a new project, by their paths.
 *
 * @param databay - range or address of this package
 */
export function projectFiles(name: string, databay: string, language: Language): { readonly [file: string]: string } {
  const manifest = { name, version: '0.0.0', private: true, type: 'module', engines: { node: '>=20.19' } }
  const common = {
    '.gitignore': 'node_modules/\ndist/\ntotals.csv\norders.position\n',
    'data/orders.csv': 'id,item,quantity,price\nA1,pencil,12,0.5\nA2,notebook,3,2.25\nA3,lamp,1,19.9\n',
  }
  if (language === 'JavaScript') {
    return {
      'package.json': json({
        ...manifest,
        scripts: { start: 'databay run src/links.js', test: 'node --test' },
        dependencies: { databay },
      }),
      ...common,
      'README.md': readme(name, 'src/links.js', ''),
      'src/links.js': links('src/links.js', language),
      'src/links.test.js': TEST,
    }
  }
  return {
    'package.json': json({
      ...manifest,
      scripts: { start: 'tsc && databay run dist/links.js', test: 'tsc && node --test dist/*.test.js' },
      dependencies: { databay },
      devDependencies: { '@types/node': '^20.19.0', typescript: '~6.0.0' },
    }),
    'tsconfig.json': json({
      compilerOptions: {
        target: 'ES2022',
        module: 'NodeNext',
        types: ['node'],
        strict: true,
        skipLibCheck: true,
        rootDir: 'src',
        outDir: 'dist',
      },
      include: ['src'],
    }),
    ...common,
    'README.md': readme(name, 'src/links.ts', 'compiles, and '),
    'src/links.ts': links('dist/links.js', language),
    'src/links.test.ts': TEST,
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

/** @param compiles - first words of what the commands do */
const readme = (name: string, module: string, compiles: string) => `# ${name}

Links that databay runs.

\`\`\`sh
npm install
npm start   # ${compiles}runs the links until Ctrl-C
npm test    # ${compiles}tests them
\`\`\`

\`${module}\` reads \`data/orders.csv\`, computes the total of each order, and writes \`totals.csv\`. Add a row to
\`data/orders.csv\` while it runs: its total is there within five seconds.
`

/** @param run - path of the module that the command runs */
function links(run: string, language: Language): string {
  const [head, parameters] =
    language === 'TypeScript'
      ? [
          "import { CsvInlet, CsvOutlet, Link, type Record } from 'databay'\n\n" +
            'type Row = { readonly [column: string]: unknown }',
          'records: Record<Row>[]',
        ]
      : ["import { CsvInlet, CsvOutlet, Link } from 'databay'", 'records']
  return `${head}

/** Adds the total of each order. It runs in a worker thread, so it may take its time. */
export function addTotals(${parameters}) {
  return records.map((order) => {
    const total = Number(order.payload.quantity) * Number(order.payload.price)
    return order.with({ payload: { ...order.payload, total } })
  })
}

/** Every exported link is run. Its name is its id in logs and commands: databay run ${run} --link orders */
export const orders = new Link({
  inlets: new CsvInlet('data/orders.csv', { positionFile: 'orders.position' }), // goes on there after a restart
  processors: addTotals,
  outlets: new CsvOutlet('totals.csv'),
  interval: { seconds: 5 },
})
`
}

const TEST = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Record } from 'databay'
import { addTotals } from './links.js'

test('an order gets its total', () => {
  const [order] = addTotals([new Record({ id: 'A1', quantity: '12', price: '0.5' })])
  assert.deepEqual(order?.payload, { id: 'A1', quantity: '12', price: '0.5', total: 6 })
})
`
