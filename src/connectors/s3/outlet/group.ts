import { InvalidOptionError, toError } from '../../../base/errors.js'
import { ofRecord } from '../../../core/partial-push.js'
import type { Record } from '../../../core/record.js'
import type { Update } from '../../../core/update.js'
import { checkKey, KeyTemplate, type S3KeyNames } from './key-template.js'
import type { OpenObject } from './open-object.js'
import { KEY_KEY, type S3Key } from './outlet-options.js'

/** Records of a batch that go to one object. */
export interface Group {
  readonly key: string
  readonly object: OpenObject
  /** Places in the batch of those that were added to it. */
  readonly indices: number[]
}

/**
 * Adds the records of a batch to the objects of their keys.
 *
 * @param objectOf - gives the object of a key
 * @param errors - gets the error of each record that cannot be written, by its place
 */
export function groupByKey(
  key: KeyTemplate | S3Key,
  names: S3KeyNames,
  objectOf: (key: string) => OpenObject,
  records: readonly Record[],
  update: Update,
  errors: Map<number, Error>,
): Group[] {
  const groups = new Map<string, Group>()
  // one key for all records that choose none
  let common: string | undefined
  for (const [index, record] of records.entries()) {
    try {
      const chosen = record.metadata[KEY_KEY]
      let own: string
      if (chosen !== undefined) own = checkChosen(KEY_KEY, chosen)
      else if (!(key instanceof KeyTemplate)) own = checkChosen('S3Outlet.key', key(record, update, names))
      else if (key.ofPayload) own = key.compose(record.payload, names)
      else own = common ??= key.compose(undefined, names)
      let group = groups.get(own)
      if (group === undefined) {
        group = { key: own, object: objectOf(own), indices: [] }
        groups.set(own, group)
      }
      group.object.content.add(record.payload)
      group.indices.push(index)
    } catch (thrown) {
      errors.set(index, ofRecord(toError(thrown)))
    }
  }
  return [...groups.values()].filter(({ indices }) => indices.length > 0)
}

/** @throws {@link InvalidOptionError} */
function checkChosen(option: string, key: unknown): string {
  if (typeof key !== 'string') throw new InvalidOptionError(option, 'the key of an object', key)
  const fail = (wrong: string) => new InvalidOptionError(option, `the key of an object, and this ${wrong}`, key)
  // it stands for a hash in keys of templates
  if (key.includes('\0')) throw fail('has a control character')
  checkKey(key, fail)
  return key
}
