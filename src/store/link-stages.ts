import { readMeta, writeMeta } from './schema.js'
import { corrupt, type Database } from './sqlite.js'

/** A place of a link at which its records may fail, and from which dead letters can be delivered again. */
export interface LinkStage {
  /** Place of the node in its link, such as `processor:1` or `outlet:0 processor:1`. */
  readonly place: string
  /** What happens there: `process`, `group` or `push`. */
  readonly stage: string
  /** Node that is there. */
  readonly node: string
  /** Name of the outlet that it belongs to; left out where it belongs to the link. */
  readonly outlet?: string
}

/** Beginning of the keys under which a store keeps the stages of links. */
export const STAGES = 'stages:'

/**
 * Stages of a link as they were when it was opened last; `undefined` when it has not been opened.
 *
 * @throws {@link StoreCorruptError} when they are not what was written
 */
export function stagesOf(database: Database, link: string): LinkStage[] | undefined {
  const text = readMeta(database, STAGES + link)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as LinkStage[]
  } catch (error) {
    throw corrupt(database.file, `the stages of ${link} are not what was written`, error)
  }
}

/** Keeps the stages of a link. */
export function putStages(database: Database, link: string, stages: readonly LinkStage[]): void {
  const kept = stages.map(({ place, stage, node, outlet }) => {
    return { place, stage, node, ...(outlet === undefined ? {} : { outlet }) }
  })
  writeMeta(database, STAGES + link, JSON.stringify(kept))
}

/** Whether a dead letter can be delivered from where it failed: the link has the same node there. */
export function isAmong(stages: readonly LinkStage[], letter: LinkStage): boolean {
  return stages.some(({ place, stage, node }) => {
    return place === letter.place && stage === letter.stage && node === letter.node
  })
}
