/** Compares the pages on connectors with the code: options, error codes and messages; and runs its programs. */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { fakeS3 } from './helpers/fake-s3.js'
import { mongoServer } from './helpers/mongo.js'
import { postgresServer } from './helpers/postgres.js'
import { sources } from './house.js'
import { databay, node, problemsOf, programsOf, write } from './helpers/programs.js'
import { s3Server } from './helpers/s3.js'
import { serve } from './helpers/servers.js'
import type { AnySpec } from '../src/base/options.js'
import * as api from '../src/index.js'

const root = resolve(import.meta.dirname, '..')
const folder = join(root, 'docs/connectors')
const overview = readFileSync(join(folder, 'README.md'), 'utf8')
const pages = new Map(
  readdirSync(folder)
    .filter((name) => name !== 'README.md')
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
)
const text = [overview, ...pages.values()].join('\n')
const programs = programsOf(text)
const mongo = await mongoServer(t)
const postgres = await postgresServer(t)
const s3 = await s3Server(t)

/** Connector as its constructor shows it. */
interface Connector {
  readonly name: string
  readonly made: new (...args: unknown[]) => unknown
  readonly options: readonly Option[]
  /** Index of the options among the constructor's arguments. */
  readonly at: number
}

interface Option {
  readonly name: string
  readonly default: string
}

const isConnector = (value: unknown): value is Connector['made'] =>
  typeof value === 'function' && (value.prototype instanceof api.Inlet || value.prototype instanceof api.Outlet)

const connectors = connectorsOf(Object.entries(api).filter(([, value]) => isConnector(value)) as never)

/** Finds the connectors, with their options as the types declare them. */
function connectorsOf(classes: readonly [string, Connector['made']][]): Connector[] {
  const { options } = ts.parseJsonConfigFileContent({ extends: './tsconfig.json', files: [] }, ts.sys, root)
  const program = ts.createProgram([join(root, 'src/index.ts')], { ...options, noEmit: true, composite: false })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(join(root, 'src/index.ts'))
  const symbol = source && checker.getSymbolAtLocation(source)
  const exported = new Map(symbol && checker.getExportsOfModule(symbol).map((one) => [one.name, one]))
  return classes.map(([name, made]) => {
    const alias = exported.get(name)
    if (alias === undefined) throw new Error(`${name} is not exported`)
    const [constructor] = checker.getTypeOfSymbol(checker.getAliasedSymbol(alias)).getConstructSignatures()
    const parameters = constructor?.getParameters() ?? []
    const last = parameters.at(-1)
    const properties = last ? checker.getNonNullableType(checker.getTypeOfSymbol(last)).getProperties() : []
    return {
      name,
      made,
      at: parameters.length - 1,
      options: properties.map((property) => ({ name: property.name, default: defaultOf(checker, property) })),
    }
  })
}

/** Default in the docstring of an option; without one, the defaults of its fields; none for an option that is needed. */
function defaultOf(checker: ts.TypeChecker, property: ts.Symbol): string {
  const tag = property.getJsDocTags(checker).find(({ name }) => name === 'default')
  if (tag !== undefined) return ts.displayPartsToString(tag.text ?? [])
  if ((property.flags & ts.SymbolFlags.Optional) === 0) return ''
  const fields = checker.getNonNullableType(checker.getTypeOfSymbol(property)).getProperties()
  return `{ ${fields.map((field) => `${field.name}: ${defaultOf(checker, field)}`).join(', ')} }`
}

/** Table of a connector's options: `FILE_INLET_OPTIONS` in the folder of FileInlet. */
async function tableOf(name: string): Promise<AnySpec> {
  const exported = `${name.replaceAll(/(?<!^)[A-Z]/g, '_$&').toUpperCase()}_OPTIONS`
  for (const file of sources(root, ['src/connectors'])) {
    const module = (await import(join(root, file))) as { readonly [name: string]: unknown }
    if (exported in module) return module[exported] as AnySpec
  }
  throw new Error(`there is no ${exported}`)
}

/** Text under the title of a connector. */
function sectionOf(name: string): string {
  return new RegExp(`^## ${name}\n(.*?)(?=^# |^## |$(?![^]))`, 'ms').exec(text)?.[1] ?? ''
}

/** Rows of the table with this header, as cells. */
function rowsOf(text: string, header: string): string[][] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => cellsOf(line).join(' | ') === header)
  if (start === -1) return []
  const rest = lines.slice(start + 2)
  const end = rest.findIndex((line) => !line.startsWith('|'))
  return rest.slice(0, end === -1 ? undefined : end).map(cellsOf)
}

function cellsOf(line: string): string[] {
  if (!line.startsWith('|')) return []
  const cells = line.split(/(?<!\\)\|/).slice(1, -1)
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'))
}

const optionsIn = (name: string) => rowsOf(sectionOf(name), 'option | type | default | meaning')
/** Items of a list that begin with what fails, in bold. */
const failuresIn = (section: string) =>
  [...section.matchAll(/^- (\*\*.*?)(?=^\n|^- |^#|$(?![^]))/gms)].map(([, item = '']) => item.replaceAll(/\n\s*/g, ' '))
const withoutTicks = (text: string) => text.replaceAll('`', '')

t.test('every connector has a section on the page of its system, and a row in the overview', async (t) => {
  const names = connectors.map(({ name }) => name).sort()
  t.ok(names.length >= 11)
  const titles = [...pages].flatMap(([page, text]) =>
    [...text.matchAll(/^## (\w+(?:Inlet|Outlet))$/gm)].map(([, title = '']) => ({ title, page })),
  )
  t.same(titles.map(({ title }) => title).toSorted(), names)
  const rows = rowsOf(overview, 'connector | what it does | each record comes | tried again').map(([cell = '']) => cell)
  t.same(rows.toSorted(), titles.map(({ title, page }) => `[${title}](${page}#${title.toLowerCase()})`).toSorted())
})

t.test('there is a page for each system', async (t) => {
  const systems = readdirSync(join(root, 'src/connectors'), { withFileTypes: true }).filter((one) => one.isDirectory())
  t.same([...pages.keys()].map((page) => basename(page, '.md')).toSorted(), systems.map(({ name }) => name).toSorted())
})

t.test('no cell of a table is longer than 100 characters', async (t) => {
  const cells = text.split('\n').flatMap(cellsOf)
  t.ok(cells.length > 400)
  t.same(
    cells.filter((cell) => cell.length > 100),
    [],
  )
})

for (const { name, made, options, at } of connectors) {
  t.test(name, async (t) => {
    const section = sectionOf(name)
    t.test('its options are in the table, each with its default, and no others', async (t) => {
      const rows = optionsIn(name).map(([option = '', , value = '']) => [withoutTicks(option), withoutTicks(value)])
      const declared = options.map((option) => [option.name, withoutTicks(option.default).replaceAll(/\s+/g, ' ')])
      t.ok(declared.length > 0)
      t.same(rows.toSorted(), declared.toSorted())
    })

    t.test('the table by which its options are read has these defaults', async (t) => {
      const table = Object.entries(await tableOf(name))
      t.same(
        table.map(([option, { byDefault = '' }]) => [option, withoutTicks(byDefault)]).toSorted(),
        options.map((option) => [option.name, withoutTicks(option.default).replaceAll(/\s+/g, ' ')]).toSorted(),
      )
    })

    t.test('its constructor knows these options, and no others', async (t) => {
      const before = Array.from({ length: at }, () => 'http://localhost/')
      let known: string[] = []
      try {
        new made(...before, { notAnOption: 1 })
      } catch (error) {
        known = /one of the options (.*), got/.exec((error as Error).message)?.[1]?.split(', ') ?? []
      }
      t.same(known.toSorted(), options.map((option) => option.name).toSorted())
    })

    t.test('says what it is, what it promises and what its failures do', async (t) => {
      t.match(section, /^\n[A-Z].*?`new \w+\(/s)
      t.match(section, /^\*\*Promise\.\*\* \[?[A-Z]/m)
      for (const subject of [/lost\sthread/i, /shutdown/, /crash|killed/, /again/]) {
        t.ok(subject.test(section), `it says something of ${subject.source}`)
      }
      const failures = failuresIn(section)
      t.ok(failures.length > 0)
      for (const failure of failures) t.match(failure, /^\*\*.+?\*\*.*\w.*[.:]/, 'it says what happens')
    })
  })
}

t.test('the types in the tables are those of the options', async (t) => {
  const rows = connectors.flatMap(({ name, at }) =>
    optionsIn(name).map(([option = '', type = '']) => {
      const declared = `ConstructorParameters<typeof ${name}>[${at}]`
      return {
        type: withoutTicks(type),
        check: `Same<Exclude<NonNullable<${declared}>['${withoutTicks(option)}'], undefined>, ${withoutTicks(type)}>`,
      }
    }),
  )
  const named = rows
    .flatMap(({ type }) => type.match(/\b[A-Z]\w+/g) ?? [])
    .filter((word) => !['Date', 'Promise', 'Uint8Array', 'URL'].includes(word))
  const code = [
    `import { ${connectors.map(({ name }) => name).join(', ')} } from 'databay'`,
    `import type { ${[...new Set(named)].join(', ')} } from 'databay'`,
    'type Same<A, B> = [A, B] extends [B, A] ? true : { is: A }',
    ...rows.map(({ check }, index) => `export const row${index}: ${check} = true`),
  ]
  const folder = t.testdir({ 'types.ts': code.join('\n') })
  t.same(problemsOf(folder, ['types.ts']), [])
})

t.test('error codes, and messages that are quoted, are those of the code', async (t) => {
  const read = (folder: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(root, folder, name), 'utf8'))
  const code = read('src').join('\n')
  const said = [code, ...read('test/connectors')].join('\n')

  const codes = new Set(code.match(/'DATABAY_\w+'/g)?.map((quoted) => quoted.slice(1, -1)))
  const named = new Set(text.match(/DATABAY_\w+/g))
  t.ok(named.size > 10)
  t.same(
    [...named].filter((name) => !codes.has(name)),
    [],
  )

  const prose = [overview.slice(0, overview.indexOf('\n## Values')), ...connectors.map(({ name }) => sectionOf(name))]
  const quoted = prose.flatMap((text) =>
    failuresIn(text).flatMap((failure) => [...failure.matchAll(/`([^`]*)`/g)].map(([, quote = '']) => quote)),
  )
  // but no options and code, such as `failure: 'body'`
  const messages = quoted.filter((text) => text.includes(' ') && !/^\w+: ['\w{]\S*$|^\w+\(/.test(text))
  t.ok(messages.length > 50, `${messages.length} messages`)
  for (const message of messages) {
    for (const part of message.split('…').map((text) => text.trim())) {
      const isThere = said.includes(part) || said.includes(part.replaceAll("'", "\\'"))
      t.ok(isThere, `${message}: ${part}`)
    }
  }
})

t.test('the programs', async (t) => {
  const transfers = (t: Test, name: string, folder: string, count = 1) => {
    const args = [databay, 'run', name, '--threads', '1', '--transfers', String(count), '--log-level', 'error']
    return node(folder, args).then(({ code, stdout, stderr }) => {
      t.equal(code, 0, stderr)
      return stdout
    })
  }
  const read = (folder: string, name: string) => readFileSync(join(folder, name), 'utf8')
  /** A folder with a program, changed for the test. */
  const set = (t: Test, name: string, change: (code: string) => string = (code) => code, files = {}) => {
    const folder = t.testdir(files)
    write(folder, new Map([[name, change(programs.get(name) ?? '')]]))
    return folder
  }

  t.test('are one for each connector', async (t) => {
    const kebab = (name: string) => name.replaceAll(/(?<!^)[A-Z]/g, '-$&').toLowerCase()
    const others = [
      'serialize.js',
      'copy-collection.js',
      'new-orders.js',
      'overlap.js',
      'http-batches.js',
      'http-targets.js',
      's3-modified.js',
      's3-partitions.js',
      's3-elsewhere.js',
      'postgres-query.js',
    ]
    t.same([...programs.keys()].sort(), [...connectors.map(({ name }) => `${kebab(name)}.js`), ...others].sort())
    for (const { name } of connectors) t.match(programs.get(`${kebab(name)}.js`), `new ${name}(`)
  })

  t.test('FileOutlet writes what serialize says', async (t) => {
    const folder = set(t, 'serialize.js')
    await transfers(t, 'serialize.js', folder)
    t.equal(read(folder, 'out/sums.jsonl'), '{"ratio":null,"hours":{"mon":8}}\n')
  })

  t.test('HttpInlet reads all pages, and tries again', async (t) => {
    let asked = 0
    const { url } = await serve(t, (request, response) => {
      if (++asked === 1) return void response.writeHead(503).end()
      const first = request.url === '/todos?done=false'
      if (first) response.setHeader('link', '</todos?page=2>; rel="next"')
      return void response
        .setHeader('content-type', 'application/json')
        .end(first ? '[{"id":1},{"id":2}]' : '[{"id":3}]')
    })
    const folder = set(t, 'http-inlet.js', (code) => code.replace('https://some.test.url.com', url))
    t.equal(await transfers(t, 'http-inlet.js', folder), 'todos.0 { id: 1 }\ntodos.0 { id: 2 }\ntodos.0 { id: 3 }\n')
    t.equal(asked, 3)
  })

  t.test('HttpInlet asks for what came since the last time', async (t) => {
    const asked: unknown[] = []
    const { url } = await serve(t, (request, response) => {
      asked.push(request.url)
      response.end('[{"id": 7, "updated": "2026-01-01T00:10:00Z"}]')
    })
    for (const name of ['new-orders.js', 'overlap.js']) {
      const folder = set(t, name, (code) =>
        code.replace('https://some.test.url.com', url).replace('{ seconds: 10 }', '{ milliseconds: 50 }'),
      )
      await transfers(t, name, folder, 2)
    }
    t.same(asked, ['/orders', '/orders?since_id=7', '/orders', '/orders?from=2026-01-01T00%3A05%3A00.000Z'])
  })

  t.test('HttpOutlet sends records, batches, and each to its place', async (t) => {
    const got: string[] = []
    const { url } = await serve(t, (request, response) => {
      let text = ''
      request.on('data', (data: Buffer) => (text += data.toString()))
      request.on('end', () => {
        const key = request.headers['idempotency-key'] as string | undefined
        got.push(`${String(request.method)} ${String(request.url)} ${String(key?.slice(0, 3))} ${text}`)
        response.setHeader('content-type', 'application/json').end('[{"status":"ok"},{"status":"ok"}]')
      })
    })
    const send = async (name: string, files: { [file: string]: string }) => {
      got.length = 0
      const folder = set(t, name, (code) => code.replace('https://some.test.url.com', url), files)
      await transfers(t, name, folder)
      return got.toSorted()
    }
    t.same(await send('http-outlet.js', { 'orders.csv': 'id,n\n7,1\n8,2\n' }), [
      'POST /orders 7 {"id":"7","n":"1"}',
      'POST /orders 8 {"id":"8","n":"2"}',
    ])
    t.match(await send('http-batches.js', { 'events.csv': 'id\n7\n8\n' }), [
      /^POST \/events [\da-f]{3} \{"source":"shop","events":\[\{"id":"7"\},\{"id":"8"\}\]\}$/,
    ])
    t.same(await send('http-targets.js', { 'prices.csv': 'id,price\na/1,2\nb,\n' }), [
      'DELETE /prices/b undefined ',
      'PUT /prices/a%2F1 undefined {"id":"a/1","price":"2"}',
    ])
  })

  t.test('MongoInlet reads what has settled', { skip: mongo.skip }, async (t) => {
    const { url, database, db } = await mongo.database(t)
    await db.collection('orders').insertMany([
      { _id: ObjectId.createFromTime(1), item: 'old' },
      { _id: new ObjectId(), item: 'new' },
    ])
    const folder = set(t, 'mongo-inlet.js', (code) =>
      code.replace("database: 'shop'", `url: '${url}', database: '${database}'`),
    )
    t.match(await transfers(t, 'mongo-inlet.js', folder), /^orders\.0 \{ _id: .*, item: 'old' \}\n$/)
  })

  t.test('PostgresInlet reads what is new, of a table and of a query', { skip: postgres.skip }, async (t) => {
    const { url, client } = await postgres.database(t)
    await client.query(`
      CREATE TABLE customers (id int PRIMARY KEY, email text);
      CREATE TABLE orders (id int PRIMARY KEY, customer int, total numeric, state text, updated_at timestamptz);
      INSERT INTO customers VALUES (1, 'a@test');
      INSERT INTO orders VALUES (7, 1, 9.50, 'paid', '2026-01-01'), (8, 1, 1, 'open', now() + interval '1 minute')`)
    const change = (code: string) => code.replace("database: 'shop'", `url: '${url}'`)
    const newOnes = await transfers(t, 'postgres-inlet.js', set(t, 'postgres-inlet.js', change))
    t.match(newOnes, /^orders\.0 \{[^}]*id: 7,[^}]*\}\n$/)
    const paid = await transfers(t, 'postgres-query.js', set(t, 'postgres-query.js', change))
    t.equal(paid, "paid.0 { id: 7, total: '9.50', email: 'a@test' }\n")
  })

  t.test('MongoInlet copies a large collection', { skip: mongo.skip }, async (t) => {
    const { url, database, db } = await mongo.database(t)
    await db.collection('orders').insertMany(Array.from({ length: 1500 }, (_, n) => ({ n })))
    const folder = set(t, 'copy-collection.js', (code) =>
      code.replace("database: 'shop'", `url: '${url}', database: '${database}'`),
    )
    await transfers(t, 'copy-collection.js', folder)
    t.equal(readFileSync(join(folder, 'orders.ndjson'), 'utf8').trim().split('\n').length, 1500)
  })

  t.test('FileInlet goes on after a restart', async (t) => {
    const folder = set(t, 'file-inlet.js')
    t.equal(await transfers(t, 'file-inlet.js', folder), '', 'the file is awaited')
    writeFileSync(join(folder, 'app.log'), 'one\ntwo\n')
    t.equal(await transfers(t, 'file-inlet.js', folder), 'log.0 one\nlog.0 two\n')
    appendFileSync(join(folder, 'app.log'), 'three\n')
    t.equal(await transfers(t, 'file-inlet.js', folder), 'log.0 three\n')
  })

  t.test('CsvInlet reads typed rows', async (t) => {
    const rows = 'id,price,at\n1,1.5,2020-07-30\nx,1,\n2,,\n'
    const folder = set(t, 'csv-inlet.js', undefined, { 'prices.csv': rows })
    const expected =
      'prices.0 { id: 1, price: 1.5, at: 2020-07-30T00:00:00.000Z }\nprices.0 { id: 2, price: null, at: null }\n'
    t.equal(await transfers(t, 'csv-inlet.js', folder), expected)
  })

  t.test('NullInlet produces nothing', async (t) => {
    t.equal(await transfers(t, 'null-inlet.js', set(t, 'null-inlet.js')), '')
  })

  t.test('RandomIntInlet gives the same numbers at every run', async (t) => {
    const folder = set(t, 'random-int-inlet.js')
    const printed = await transfers(t, 'random-int-inlet.js', folder, 3)
    t.match(printed, /^dice\.0 [1-6]\ndice\.1 [1-6]\ndice\.2 [1-6]\n$/)
    t.equal(await transfers(t, 'random-int-inlet.js', folder, 3), printed)
  })

  t.test('S3Inlet reads new objects', async (t) => {
    const s3 = await fakeS3(t)
    const access = `...${JSON.stringify(s3.options)}`
    s3.put('orders/2026-01-31/0001.jsonl.gz', gzipSync('{"id":1}\n{"id":2}\n'))
    const folder = set(t, 's3-inlet.js', (code) => code.replace("bucket: 'shop'", access))
    t.equal(await transfers(t, 's3-inlet.js', folder), 'orders.0 { id: 1 }\norders.0 { id: 2 }\n')
    s3.put('a/old.csv', 'n\n1\n', Date.now() - 3_600_000)
    s3.put('a/new.csv', 'n\n2\n')
    const modified = set(t, 's3-modified.js', (code) => code.replace("bucket: 'partners'", access))
    await transfers(t, 's3-modified.js', modified)
    t.equal(read(modified, 'reports.jsonl'), '{"n":"1"}\n')
  })

  t.test('S3Outlet writes objects', { skip: s3.skip }, async (t) => {
    const bucket = await s3.bucket(t)
    const access = `...${JSON.stringify(s3.options)}, bucket: '${bucket}'`
    const change = (code: string) =>
      code.replace(/bucket: '\w+'/, access).replace(/^ +(?:\/\/ MinIO|endpoint|accessKeyId|secretAccessKey).*\n/gm, '')
    const files = {
      'prices.csv': 'id,price\n1,1.5\n2,3\n',
      'orders.csv': 'id,at\n1,2026-01-31T08:00\n2,2026-02-01T09:00\n3,2026-01-31T10:00\n',
    }
    for (const name of ['s3-outlet.js', 's3-partitions.js', 's3-elsewhere.js']) {
      await transfers(t, name, set(t, name, change, files))
    }
    const stored = await Promise.all(
      (await s3.keys(bucket)).map(async (key) => {
        const bytes = await s3.get(bucket, key)
        return [
          key.replaceAll(/\/[\da-z]{25}/g, '/x'),
          String(key.endsWith('.gz') ? gunzipSync(bytes) : bytes),
        ] as const
      }),
    )
    const day = new Date().toISOString().slice(0, 10)
    t.match(Object.fromEntries(stored), {
      [`numbers/${day}/x-000000.jsonl`]: /^\d+\n$/,
      'orders/day=2026-01-31/x.csv.gz': 'id,at\n1,2026-01-31T08:00\n3,2026-01-31T10:00\n',
      'orders/day=2026-02-01/x.csv.gz': 'id,at\n2,2026-02-01T09:00\n',
      [`prices/${day}/x-000000.jsonl`]: '{"id":"1","price":1.5}\n{"id":"2","price":3}\n',
    })
  })

  t.test('MongoOutlet replaces rows that come again', { skip: mongo.skip }, async (t) => {
    const { url, database, db } = await mongo.database(t)
    await db.collection('prices').createIndex({ id: 1 }, { unique: true }, {})
    const change = (code: string) => code.replace("database: 'shop'", `url: '${url}', database: '${database}'`)
    const folder = set(t, 'mongo-outlet.js', change, { 'prices.csv': 'id,price\n1,1.5\n2,3\n' })
    const stored = async () => {
      const documents = await db
        .collection('prices')
        .find({}, { sort: { id: 1 } })
        .toArray()
      return documents.map(({ _id, ...price }) => price)
    }
    for (let run = 0; run < 2; run++) {
      await transfers(t, 'mongo-outlet.js', folder)
      t.same(await stored(), [
        { id: 1, price: 1.5 },
        { id: 2, price: 3 },
      ])
    }
  })

  t.test('PostgresOutlet replaces rows that come again', { skip: postgres.skip }, async (t) => {
    const { url, client } = await postgres.database(t)
    await client.query('create table prices (id int primary key, price numeric)')
    const change = (code: string) => code.replace("secret('DATABASE_URL')", `'${url}'`).replace(', secret', '')
    const folder = set(t, 'postgres-outlet.js', change, { 'prices.csv': 'id,price\n1,1.5\n2,3\n' })
    for (let run = 0; run < 2; run++) {
      await transfers(t, 'postgres-outlet.js', folder)
      const { rows } = await client.query('select id, price::float from prices order by id')
      t.same(rows, [
        { id: 1, price: 1.5 },
        { id: 2, price: 3 },
      ])
    }
  })

  t.test('FileOutlet writes to the files that records choose', async (t) => {
    const folder = set(t, 'file-outlet.js')
    await transfers(t, 'file-outlet.js', folder)
    t.match(read(folder, 'out/numbers.jsonl'), /^[1-6]\n$/)
    t.equal(read(folder, 'out/others.jsonl'), read(folder, 'out/numbers.jsonl'))
  })

  t.test('CsvOutlet writes a header and rows', async (t) => {
    const folder = set(t, 'csv-outlet.js')
    for (let run = 0; run < 2; run++) await transfers(t, 'csv-outlet.js', folder)
    t.match(read(folder, 'rolls.csv'), /^roll,points\n0,[1-6]\n0,[1-6]\n$/)
  })

  t.test('PrintOutlet prints what the page says', async (t) => {
    const expected = /PrintOutlet\(\), \/\/ (.*)\n/.exec(programs.get('print-outlet.js') ?? '')?.[1]
    t.equal(await transfers(t, 'print-outlet.js', set(t, 'print-outlet.js')), `${expected}\n`)
  })

  t.test('NullOutlet takes records', async (t) => {
    t.equal(await transfers(t, 'null-outlet.js', set(t, 'null-outlet.js')), '')
  })
})
