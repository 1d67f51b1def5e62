import type { Db } from 'mongodb'
import { getLogger } from '../../base/log.js'
import { hintAt } from '../../base/suggestion.js'
import type { MongoInletSettings } from './inlet-options.js'

/** Warns of a collection that does not exist: MongoDB reads it as an empty one. Never rejects. */
export async function warnOfNoCollection(db: Db, collection: string): Promise<void> {
  try {
    // the names only: a user who may see no more may see those
    const names = async (filter: object) => {
      const found = await db.listCollections(filter, { nameOnly: true, authorizedCollections: true }).toArray()
      return found.map(({ name }) => name)
    }
    if ((await names({ name: collection })).length > 0) return
    const hint = hintAt(collection, await names({}))
    const where = `${db.databaseName}.${collection}`
    getLogger('databay.MongoInlet').warn(`there is no collection ${where} yet${hint === undefined ? '' : `: ${hint}`}`)
  } catch {
    // a user who may not list them may read them all the same
  }
}

/** Longest time of a search of {@link warnOfNoField}, in milliseconds: it has no index. */
const MOST_TIME = 1000

/**
 * Warns when no document that the filter lets through has the `cursorField`: none is ever read. Gives up when the server has to
 * search for long. Never rejects.
 */
export async function warnOfNoField(
  db: Db,
  { collection, filter, cursor }: MongoInletSettings,
  signal: AbortSignal,
): Promise<void> {
  if (cursor === undefined) return
  try {
    const documents = db.collection(collection)
    const limits = { signal, maxTimeMS: MOST_TIME }
    const one = await documents.findOne(filter, limits)
    const [first = ''] = cursor.field.split('.')
    if (one === null || Object.hasOwn(one, first)) return
    // others may have it, and be too new to be read
    const hasField = { $and: [filter, { [cursor.field]: { $exists: true } }] }
    if ((await documents.findOne(hasField, limits)) !== null) return
    const hint = hintAt(first, Object.keys(one))
    const where = `${db.databaseName}.${collection}`
    const text = `no document of ${where} has the cursorField ${cursor.field}, so none is taken`
    getLogger('databay.MongoInlet').warn(`${text}${hint === undefined ? '' : `: ${hint}`}`)
  } catch {
    // the next pull tells of what goes wrong
  }
}
