import { counted } from '../../base/counted.js'
import { fileURLToPath } from 'node:url'
import path from 'node:path'
import type { ProcessStatus } from '../../operate/control/process-status.js'
import { blockedText, shortNumber } from '../run/status-text.js'
import { lengthText } from './times.js'

/** Most modules that are named. */
const MOST_MODULES = 3

/** The links of a process in words: `4 links of links.js`. */
export function modulesText({ links, modules }: ProcessStatus): string {
  const names = modules.slice(0, MOST_MODULES).map(shortName)
  const more = modules.length > names.length ? ` and ${modules.length - names.length} more` : ''
  return `${counted(links, 'link')}${names.length === 0 ? '' : ` of ${names.join(', ')}${more}`}`
}

/** A process on one line: `process 4711, databay 0.2.0 on Node v24.1.0, up 3 h: 4 links of links.js in 2 threads`. */
export function processLines(status: ProcessStatus, now: number): string[] {
  const { pid, version, node, startedAt, threads, state, ready, paused, counts } = status
  const where = threads === 0 ? 'on the main thread' : `in ${counted(threads, 'thread')}`
  const who = `process ${pid}, databay ${version} on Node ${node.replace('v', '')}`
  const how =
    state !== 'running' ? state : paused ? 'paused: nothing is due' : ready ? '' : 'not ready: modules cannot be loaded'
  const totals = [
    `${shortNumber(counts.transfers)} transfer${counts.transfers === 1 ? '' : 's'}`,
    `${shortNumber(counts.failed)} failed`,
    `${shortNumber(counts.late)} late`,
    `${shortNumber(counts.skipped)} skipped`,
    ...(counts.blocked === undefined ? [] : [blockedText(counts.blocked, counts.waiting)]),
    ...(counts.dead === undefined ? [] : [counted(counts.dead, 'dead letter')]),
  ]
  return [
    `${who}, up ${lengthText(now - startedAt)}: ${modulesText(status)} ${where}${how === '' ? '' : `; ${how}`}`,
    totals.join(', '),
  ]
}

function shortName(module: string): string {
  return module.startsWith('file:') ? path.basename(fileURLToPath(module)) : module
}
