import { RESULTS, WORK, type Work } from '../work/computing.js'

/** The work of the computing links as a task, for a raw Piscina. */
export default function compute(kind: Work): number {
  const result = WORK[kind]()
  if (result !== RESULTS[kind]) throw new Error(`${kind} gave ${result}`)
  return result
}
