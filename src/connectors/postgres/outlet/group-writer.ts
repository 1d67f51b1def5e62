import { finished } from 'node:stream/promises'
import type { ClientBase, QueryResult } from 'pg'
import type { PgCopyStreams } from '../copy-driver.js'
import type { RowGroup } from './row-group.js'
import type { Shape } from './shape.js'
import { copyStatements, insertStatement, leavesRows, type StatementSettings } from './statements.js'
import type { TableDescription } from './table-description.js'
import { together, type Statement } from './together.js'

/** What writes the rows of a group. */
export interface GroupWriter {
  readonly group: RowGroup
  /** Statements that write all rows of the group; `undefined` when they are no statements of their own. */
  readonly statements?: readonly Statement[]
  /** Whether the server counts each row that it is given, and so also says how many a trigger has left out. */
  readonly isCounted: boolean
  /** Writes rows, as the texts that hold them: all of them, or it fails. Resolves with the number that the server has stored. */
  readonly write: (client: ClientBase, texts: readonly string[]) => Promise<number>
}

/** @param copy - streams of COPY, for groups of its lines */
export function groupWriter(
  group: RowGroup,
  description: TableDescription,
  shape: Shape,
  settings: StatementSettings,
  copy: PgCopyStreams | undefined,
): GroupWriter {
  if (group.shape !== undefined && copy !== undefined) {
    const statements = copyStatements(description, group.shape, settings)
    return {
      group,
      isCounted: !leavesRows(group.shape, settings),
      write: (client, texts) => copyIn(copy, client, statements, texts),
    }
  }
  const text = insertStatement(description, shape, settings)
  const statementsOf = (texts: readonly string[]) => texts.map((rows) => ({ text, values: [rows] }))
  return {
    group,
    isCounted: !leavesRows(shape, settings),
    statements: statementsOf(group.chunks.map((chunk) => chunk.text)),
    write: (client, texts) => together(client, statementsOf(texts)),
  }
}

async function copyIn(
  { from }: PgCopyStreams,
  client: ClientBase,
  { stage, copy, merge }: ReturnType<typeof copyStatements>,
  texts: readonly string[],
): Promise<number> {
  if (stage !== undefined) await client.query(stage)
  const stream = client.query(from(copy))
  let failure: Error | undefined
  const failed = new Promise<void>((resolve) => {
    stream.on('error', (error) => {
      failure ??= error
      resolve()
    })
  })
  for (const text of texts) {
    // one after the other: what the stream holds back when it fails, it would send on a connection that it has given up
    const written = new Promise<void>((resolve) => stream.write(text, () => resolve()))
    await Promise.race([written, failed])
    if (failure !== undefined) throw failure
  }
  stream.end()
  await finished(stream)
  if (merge === undefined) return stream.rowCount
  const [inserted] = (await client.query(merge)) as unknown as QueryResult[]
  return inserted?.rowCount ?? 0
}
