import { counted } from '../../base/counted.js'
import { setTimeout as wait } from 'node:timers/promises'
import { ConfigError, reviveClass } from '../../base/errors.js'
import { printable } from '../../base/printable.js'
import { variableOf } from '../../config/environment.js'
import { failureText, type TransferReport } from '../../core/report.js'
import { ControlError } from '../../operate/control/errors.js'
import { isTrouble } from '../../operate/control/link-status.js'
import type { ControlAnswer, PauseAnswer } from '../../operate/control/protocol.js'
import { refusal } from '../refusal.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'
import { configFlags, configurationOf } from '../configured.js'
import { say } from '../say.js'
import { wantsColor } from '../run/progress.js'
import type { ForceArguments, PauseArguments, StatusArguments } from './arguments.js'
import { ask, askFor } from './control-client.js'
import { findProcess, type Places } from './find-process.js'
import { processLines } from './process-text.js'
import { byUrgency, SHOWN, statusTable } from './status-table.js'
import { lengthText } from './times.js'

type Args = StatusArguments | ForceArguments | PauseArguments

/** The commands `databay status`, `force`, `pause` and `resume`: look at a running process, and steer it. */
export async function steerCommand(args: Args, context: ProcessContext): Promise<Ending> {
  try {
    const socket = await findProcess(args, () => configuredPlaces(args, context))
    return { code: await answerOf(args, socket, context), signal: undefined }
  } catch (thrown) {
    if (!(thrown instanceof ControlError)) return refusal(thrown, args.json, context)
    const { code, message } = thrown
    if (args.json) context.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`)
    say(context.stderr, message) // it may have several lines
    return { code: EXIT.badArguments, signal: undefined }
  }
}

/**
 * Places of the socket that the environment or the configuration says. A configuration that no flag asks for may need secrets that
 * the process alone has: then the command says so, and goes by the environment.
 */
async function configuredPlaces(args: Args, context: ProcessContext): Promise<Places> {
  const flags = configFlags(args)
  try {
    const { planner } = await configurationOf(flags, context, false)
    const { store, control } = planner
    return { ...(store !== undefined && { store }), ...(typeof control === 'string' && { control }) }
  } catch (thrown) {
    if (!(thrown instanceof ConfigError) || Object.keys(flags).length > 0) throw thrown
    say(context.stderr, `${thrown.message}; the process is looked for without the configuration`)
    const { [variableOf('store')]: store = '', [variableOf('control')]: control = '' } = context.env
    return { ...(store !== '' && { store }), ...(control.includes('/') && { control }) }
  }
}

function answerOf(args: Args, socket: string, context: ProcessContext): Promise<number> {
  switch (args.command) {
    case 'status':
      return args.watch ? watch(args, socket, context) : status(args, socket, context)
    case 'force':
      return force(args, socket, context)
    case 'pause':
    case 'resume':
      return pause(args, socket, context)
  }
}

async function status(args: StatusArguments, socket: string, { stdout, env }: ProcessContext): Promise<number> {
  const answer = accepted(await askFor(socket, { action: 'status', links: args.link, tags: args.tag }))
  if (answer.type !== 'status') throw strange(socket)
  const links = byUrgency(answer.links).filter(({ state }) => !args.failing || isTrouble(state))
  const now = Date.now()
  if (args.json) {
    stdout.write(`${JSON.stringify({ process: answer.process, links }, undefined, 2)}\n`)
  } else {
    const shown = links.length > SHOWN && args.link.length + args.tag.length === 0 ? links.slice(0, SHOWN) : links
    const more = links.length - shown.length
    const lines = [
      ...processLines(answer.process, now).map(printable),
      ...(shown.length === 0 ? [] : ['', ...statusTable(shown, now, wantsColor(stdout, env))]),
      ...(more === 0 ? [] : [`and ${more} more, with nothing wrong: --link, --tag or --json show them`]),
    ]
    stdout.write(`${args.watch && stdout.isTTY === true ? CLEAR : ''}${lines.join('\n')}\n`)
  }
  return links.some(({ state }) => isTrouble(state)) ? EXIT.failed : EXIT.orderly
}

/** Clears a terminal. */
const CLEAR = '\u001b[H\u001b[2J'

/** Interval at which the status is shown again, in milliseconds. */
const REFRESH = 1000

/** Shows the status again and again, until nobody reads it any more. */
async function watch(args: StatusArguments, socket: string, context: ProcessContext): Promise<number> {
  const unread = new AbortController()
  const stop = () => {
    unread.abort()
  }
  context.stdout.on('error', stop)
  try {
    for (;;) {
      const code = await status(args, socket, context)
      await wait(REFRESH, undefined, unread).catch(() => undefined)
      if (unread.signal.aborted) return code
    }
  } finally {
    context.stdout.off('error', stop)
  }
}

async function force(args: ForceArguments, socket: string, { stdout, stderr }: ProcessContext): Promise<number> {
  const asked = { action: 'force', links: args.link, tags: args.tag, all: args.all, wait: args.wait } as const
  const transfers: object[] = []
  let done: Extract<ControlAnswer, { type: 'done' }> | undefined
  for await (const answer of ask(socket, asked)) {
    const one = accepted(answer)
    if (one.type === 'done') done = one
    else if (one.type === 'begun' && !args.wait) transfers.push(...one.links.map((link) => ({ link })))
    else if (one.type === 'transfer' || one.type === 'skipped') {
      const { type: _, ...transfer } = one
      transfers.push(transfer)
      const isWell = one.type === 'transfer' && isOk(one.report)
      const line = one.type === 'transfer' ? reportLine(one.link, one.report) : `${one.link}: skipped, ${one.reason}`
      if (!args.json && !(args.quiet && isWell)) stdout.write(`${printable(line)}\n`)
    }
  }
  if (done === undefined) throw new ControlError(`${socket}: the process ended before all transfers were made`)
  if (args.json) stdout.write(`${JSON.stringify({ transfers, ...sumsOf(done) }, undefined, 2)}\n`)
  else if (!args.wait && !args.quiet) stdout.write(`${counted(done.begun, 'transfer')} begun\n`)
  if (done.begun === 0) say(stderr, 'there are no links')
  return args.wait && done.failed + done.skipped > 0 ? EXIT.failed : EXIT.orderly
}

function sumsOf({ type: _, ...sums }: Extract<ControlAnswer, { type: 'done' }>): object {
  return sums
}

function isOk({ failed, blocked }: TransferReport): boolean {
  return !failed && blocked === undefined
}

/** A transfer on one line: `orders: ok in 84 ms, 3 records pulled, 3 pushed`. */
function reportLine(link: string, report: TransferReport): string {
  const { startedAt, endedAt, pulled, dropped, outlets, errors, blocked } = report
  const how = blocked !== undefined ? 'blocked' : report.failed ? 'failed' : 'ok'
  const sum = (name: 'pushed' | 'dropped') => outlets.reduce((sum, outlet) => sum + outlet[name], 0)
  const lost = dropped + sum('dropped')
  const parts = [
    `${link}: ${how} in ${lengthText(endedAt - startedAt)}`,
    `${counted(pulled, 'record')} pulled`,
    `${sum('pushed')} pushed`,
    ...(lost === 0 ? [] : [`${lost} dropped`]),
  ]
  const [first] = errors
  const why = blocked ?? first
  const more = blocked === undefined && errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return parts.join(', ') + (why === undefined ? '' : `: ${failureText(why)}${more}`)
}

async function pause(args: PauseArguments, socket: string, { stdout }: ProcessContext): Promise<number> {
  const asked = { action: args.command, links: args.link, tags: args.tag, all: args.all } as const
  const answer = accepted(await askFor(socket, asked))
  if (answer.type !== 'paused' && answer.type !== 'resumed') throw strange(socket)
  const { type: _, ...changes } = answer
  if (args.json) stdout.write(`${JSON.stringify(changes, undefined, 2)}\n`)
  else if (!args.quiet) stdout.write(`${pauseLines(answer).map(printable).join('\n')}\n`)
  return EXIT.orderly
}

function pauseLines({ type, planner, changed, unchanged, stillPaused }: PauseAnswer): string[] {
  const was = type === 'paused' ? 'was paused before' : 'was not paused'
  return [
    ...(planner === undefined ? [] : [planner === 'changed' ? `the planner is ${type}` : `the planner ${was}`]),
    ...changed.map((link) => `${link} is ${type}`),
    ...unchanged.map((link) => `${link} ${was}`),
    ...stillPaused.map((link) => `${link} stays paused, as it was paused by itself: resume --link ${link}`),
  ]
}

/** An answer that is no refusal. */
function accepted(answer: ControlAnswer): Exclude<ControlAnswer, { type: 'error' }> {
  if (answer.type !== 'error') return answer
  const error = Object.assign(new Error(answer.message), { code: answer.code })
  reviveClass(error)
  throw error
}

function strange(socket: string): ControlError {
  return new ControlError(`${socket}: the process answers as no databay of this version does`)
}
