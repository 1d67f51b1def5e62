import type { TransferReport } from 'databay'
import { isIssued, PER_TRANSFER } from './issue.js'
import { readJournal } from './journal.js'
import type { Spec } from './links.js'

/** Reports and losses of a run, as the planner told them. */
export interface Told {
  readonly reports: readonly TransferReport[]
  /** Records in buffers that were lost, with their threads or on the way to others. */
  readonly bufferedLost: number
}

/**
 * Judges a run: every record that was pushed was issued, comes in order, and comes once; no two transfers of a link pushed
 * at the same time; and the reports account for every record that is missing. Gives what is wrong, in sentences.
 */
export function judge(specs: readonly Spec[], told: Told): string[] {
  return [...specs.flatMap((spec) => judgeLink(spec, told)), ...judgeLosses(specs, told)]
}

function judgeLink({ name, journal }: Spec, { reports }: Told): string[] {
  const wrong: string[] = []
  let last = -1
  let open: number | undefined
  for (const { link, step, transfer, records } of readJournal(journal).filter((entry) => entry.link === name)) {
    if (step === 'begins') {
      // a push that never ended was in a thread that was lost: its transfer must have failed
      if (open !== undefined && !failed(reports, link, open))
        wrong.push(`${name}: transfers ${open} and ${transfer} overlap`)
      open = transfer
      continue
    }
    open = undefined
    for (const record of records) {
      if (record.link !== name || !isIssued(record)) wrong.push(`${name}: pushed what was never issued`)
      if (record.number <= last) wrong.push(`${name}: pushed number ${record.number} after ${last}`)
      last = record.number
    }
  }
  return wrong
}

/** Judges whether the reports account for what was not pushed. */
function judgeLosses(specs: readonly Spec[], { reports, bufferedLost }: Told): string[] {
  const wrong: string[] = []
  for (const { name, journal } of specs) {
    const pushed = new Set(
      readJournal(journal).flatMap((entry) => (entry.link === name ? entry.records.map(({ number }) => number) : [])),
    )
    let lost = 0
    for (const { link, transferNumber, errors, pulled } of reports) {
      if (link !== name || errors.length > 0 || pulled === 0) continue
      for (let at = 0; at < PER_TRANSFER; at++) if (!pushed.has(transferNumber * PER_TRANSFER + at)) lost++
    }
    const held = reports.findLast(({ link }) => link === name)?.buffered ?? 0
    if (lost > held + bufferedLost)
      wrong.push(`${name}: ${lost - held - bufferedLost} records are lost and in no report`)
  }
  return wrong
}

function failed(reports: readonly TransferReport[], name: string, transfer: number): boolean {
  return reports.some(
    ({ link, transferNumber, errors }) => link === name && transferNumber === transfer && errors.length > 0,
  )
}
