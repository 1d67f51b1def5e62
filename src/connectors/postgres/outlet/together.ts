import type { ClientBase, Connection, Submittable } from 'pg'

/** Statement of SQL. */
export interface Statement {
  readonly text: string
  readonly values?: readonly string[]
}

/** Length of statements from which on others go by the next trip: what is sent at once is held in memory twice. */
const LONG = 2 ** 22

/** Takes the values of a row, as texts. */
type TakeRow = (values: readonly (string | null)[]) => void

/**
 * Runs statements that do not wait for each other: they go to the server together, so that they take one trip there and back.
 * Rows are given as they come, and the first statement that fails ends it. Resolves with the number of rows that they inserted
 * or replaced.
 *
 * @throws the error of the server or the connection
 */
export async function together(
  client: ClientBase,
  statements: readonly Statement[],
  take: TakeRow = () => undefined,
): Promise<number> {
  let stored = 0
  for (let at = 0; at < statements.length;) {
    const first = at
    for (let length = 0; at < statements.length && (at === first || length <= LONG); at++)
      length += lengthOf(statements[at])
    stored += await new Promise<number>((resolve, reject) => {
      client.query(new Trip(statements.slice(first, at), take, resolve, reject))
    })
  }
  return stored
}

function lengthOf(statement: Statement | undefined): number {
  return statement?.values?.reduce((sum, { length }) => sum + length, 0) ?? 0
}

/** Statements that are sent together, for the driver, which calls what it has to hear of. */
class Trip implements Submittable {
  readonly #statements: readonly Statement[]
  readonly #take: TakeRow
  readonly #resolve: (stored: number) => void
  readonly #reject: (error: Error) => void
  #stored = 0

  constructor(
    statements: readonly Statement[],
    take: TakeRow,
    resolve: (stored: number) => void,
    reject: (error: Error) => void,
  ) {
    this.#statements = statements
    this.#take = take
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: Connection): void {
    const { stream } = connection
    stream.cork()
    for (const { text, values } of this.#statements) {
      // rows may take long: what is done before is said at once
      if (values !== undefined) connection.flush()
      connection.parse({ name: '', text, types: [] }, true)
      connection.bind({ values: [...(values ?? [])] }, true)
      connection.execute({}, true)
    }
    connection.sync()
    stream.uncork()
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#take(fields)
  }

  handleError(error: Error): void {
    this.#reject(error)
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#stored)
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#stored += storedRows(text)
  }

  handleEmptyQuery(): void {
    // there are no empty statements
  }
}

/** Number of rows of a statement that inserts, by what the server says when it is done: `INSERT 0 5`. */
function storedRows(said: string): number {
  return said.startsWith('INSERT') ? Number(said.slice(said.lastIndexOf(' '))) : 0
}
