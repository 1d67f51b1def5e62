import { checkObject } from '../../base/check.js'
import type { Duration } from '../../base/duration.js'
import { InvalidOptionError, sortOf } from '../../base/errors.js'
import type { Signal, Url } from '../../base/node-types.js'
import { toArray, type OneOrMany } from '../../base/one-or-many.js'
import {
  count,
  custom,
  func,
  given,
  resolveOptions,
  time,
  timer,
  type Option,
  type Resolved,
  type Spec,
} from '../../base/options.js'
import { retry, type RetryOptions } from '../../base/retry.js'
import { isSecret, revealed, type Secret } from '../../base/secret.js'
import { hintAt } from '../../base/suggestion.js'
import { basicToken, PAGE_ENCODE_HINT, splitsPageCredentials } from '../../base/url-credentials.js'
import { isLinkPattern, LINK_PATTERN } from '../../core/link-pattern.js'
import type { AlertMessage } from './alert-message.js'
import { ALERT_KINDS, type AlertKind } from './alert-states.js'
import { checkTemplate, type AlertTemplate } from './template.js'

/** Where {@link AlertOptions} send messages by HTTP. */
export interface AlertWebhook {
  /** URL to which messages are sent. Credentials in it become basic authorization. */
  readonly url: string | Url | Secret
  /**
   * Method of the request.
   * @default 'POST'
   */
  readonly method?: string
  /**
   * Headers of the request.
   * @default {}
   */
  readonly headers?: { readonly [name: string]: string | Secret }
  /**
   * Body of the request: data whose texts have placeholders such as `{text}`, or a function of the message that gives it. Data is
   * sent as JSON, a text as it is.
   * @default undefined - the message as JSON
   */
  readonly body?: AlertTemplate | ((message: AlertMessage) => unknown)
}

/** Who is told when links get into trouble, and when they are out of it. */
export interface AlertOptions {
  /**
   * Links that it is about: ids or `tag:` and a tag, where a `*` stands for any characters.
   * @default '*' - all links, those without an id too
   */
  readonly links?: OneOrMany<string>
  /**
   * Kinds of trouble that are told.
   * @default all of them; `late` only with `lateness`
   */
  readonly on?: OneOrMany<AlertKind>
  /**
   * URL to which messages are sent as JSON, or the request that sends them.
   * @default undefined - see `command` and `call`
   */
  readonly webhook?: WebhookTarget
  /**
   * Program that is started for each message, with its arguments: no shell. It gets the message as JSON on standard input, and
   * `DATABAY_ALERT_STATUS`, `DATABAY_ALERT_TEXT` and `DATABAY_ALERT_LINKS` in its environment.
   * @default undefined - see `webhook` and `call`
   */
  readonly command?: OneOrMany<string>
  /**
   * Function that is called with each message. It may be asynchronous; a rejection is tried again.
   * @default undefined - see `webhook` and `command`
   */
  readonly call?: (message: AlertMessage, signal: Signal) => unknown
  /**
   * Number of failed transfers in a row from which on a link is `failing`.
   * @default 3
   */
  readonly failures?: number
  /**
   * Number of transfers in a row without trouble after which a link has recovered.
   * @default 1
   */
  readonly successes?: number
  /**
   * Time for which a link has to be blocked until that is told, in seconds or as a duration.
   * @default 60
   */
  readonly blockedFor?: number | Duration
  /**
   * Lateness of a transfer from which on its link is `late`, in seconds or as a duration.
   * @default Infinity - lateness is not told
   */
  readonly lateness?: number | Duration
  /**
   * Time for which further changes are waited for, so that they come in one message, in seconds or as a duration.
   * @default 5
   */
  readonly groupWait?: number | Duration
  /**
   * Least time from one message that a link got into a trouble to the next one about the same, in seconds or as a duration. A link
   * that comes and goes is told once in that time. A recovery is told at once.
   * @default 300
   */
  readonly pause?: number | Duration
  /**
   * Time for one try to deliver a message, in seconds or as a duration. A command is killed then.
   * @default 10
   */
  readonly timeout?: number | Duration
  /**
   * Retries of a message that could not be delivered.
   * @default { retries: 5, minDelay: 1, maxDelay: 60 }
   */
  readonly retry?: RetryOptions
  /**
   * Most messages that wait to be delivered. Beyond, the oldest is dropped, which the log and the next message say.
   * @default 100
   */
  readonly maxWaiting?: number
}

/** {@link AlertWebhook}, resolved. */
export interface WebhookSettings {
  readonly url: string
  readonly method: string
  readonly headers: { readonly [name: string]: string }
  readonly body: AlertTemplate | ((message: AlertMessage) => unknown) | undefined
}

/** How messages are sent. */
export type AlertTarget =
  | { readonly webhook: WebhookSettings }
  | { readonly command: readonly [file: string, ...args: string[]] }
  | { readonly call: NonNullable<AlertOptions['call']> }

/** A length of time that may be 0. */
function delay(byDefault: number): Option<number | Duration, number> {
  const { read } = timer(byDefault)
  return {
    byDefault: String(byDefault / 1000),
    read: (name, value) => (value === 0 ? 0 : read(name, value)),
  }
}

/** Where messages are sent. */
export type WebhookTarget = string | Url | Secret | AlertWebhook

/** Table of {@link AlertOptions}. */
export const ALERT_OPTIONS = {
  links: custom(readPatterns, "'*' - all links, those without an id too"),
  on: custom(readKinds, 'all of them; `late` only with `lateness`'),
  webhook: custom<WebhookTarget, WebhookSettings | undefined>(readWebhook, 'undefined - see `command` and `call`'),
  command: custom(readCommand, 'undefined - see `webhook` and `call`'),
  call: func(undefined, 'undefined - see `webhook` and `command`'),
  failures: count(3),
  successes: count(1),
  blockedFor: delay(60_000),
  lateness: time(Infinity, 'Infinity - lateness is not told'),
  groupWait: delay(5_000),
  pause: delay(300_000),
  timeout: timer(10_000),
  retry: retry({ retries: 5, minDelay: 1000, maxDelay: 60_000 }),
  maxWaiting: count(100),
} satisfies Spec<AlertOptions>

/** {@link AlertOptions}, resolved. Lengths of time are in milliseconds. */
export interface AlertSettings extends Omit<Resolved<typeof ALERT_OPTIONS>, 'webhook' | 'command' | 'call'> {
  readonly target: AlertTarget
}

const WEBHOOK_OPTIONS = {
  url: given<string | Url | Secret>(),
  method: custom(readMethod, "'POST'"),
  headers: custom(readHeaders, '{}'),
  body: custom(checkTemplate, 'undefined - the message as JSON'),
} satisfies Spec<AlertWebhook>

/**
 * Reads the option `alerts` of a planner.
 *
 * @throws {@link InvalidOptionError}
 */
export function readAlerts(name: string, alerts: OneOrMany<AlertOptions> | undefined): readonly AlertSettings[] {
  if (alerts === undefined) return []
  const isList = Array.isArray(alerts)
  return toArray(alerts).map((one, at) => readAlert(isList ? `${name}[${at}]` : name, one))
}

function readAlert(name: string, options: AlertOptions): AlertSettings {
  checkObject(name, options)
  const { webhook, command, call, ...others } = resolveOptions(name, options, ALERT_OPTIONS)
  const targets: AlertTarget[] = []
  if (webhook !== undefined) targets.push({ webhook })
  if (command !== undefined) targets.push({ command })
  if (call !== undefined) targets.push({ call })
  const [target] = targets
  if (target === undefined || targets.length > 1) {
    const got = target === undefined ? 'none' : 'several'
    throw new InvalidOptionError(name, 'one of webhook, command and call', got)
  }
  return Object.freeze({ ...others, target })
}

function readPatterns(name: string, patterns: OneOrMany<string> | undefined): readonly string[] | undefined {
  if (patterns === undefined) return undefined
  const list = toArray(patterns)
  for (const pattern of list) {
    if (!isLinkPattern(pattern)) throw new InvalidOptionError(name, `${LINK_PATTERN}, as in 'orders_*'`, pattern)
  }
  if (list.length === 0) throw new InvalidOptionError(name, 'one or more patterns', patterns)
  return list.includes('*') ? undefined : list
}

function readKinds(name: string, kinds: OneOrMany<AlertKind> | undefined): readonly AlertKind[] {
  if (kinds === undefined) return ALERT_KINDS
  const list = toArray(kinds)
  for (const kind of list) {
    if (ALERT_KINDS.includes(kind)) continue
    const hint = typeof kind === 'string' ? hintAt(kind, ALERT_KINDS) : undefined
    throw new InvalidOptionError(name, `some of ${ALERT_KINDS.map((one) => `'${one}'`).join(', ')}`, kind, { hint })
  }
  if (list.length === 0) throw new InvalidOptionError(name, 'one or more kinds', kinds)
  return list
}

function readCommand(name: string, command: OneOrMany<string> | undefined): readonly [string, ...string[]] | undefined {
  if (command === undefined) return undefined
  const [file, ...args] = toArray(command)
  const isText = (word: unknown) => typeof word === 'string' && !word.includes('\0')
  if (file === undefined || file === '' || ![file, ...args].every(isText)) {
    throw new InvalidOptionError(name, "a program and its arguments, as in ['notify', '--urgent']", 'something else')
  }
  return [file, ...args]
}

function readWebhook(name: string, option: WebhookTarget | undefined): WebhookSettings | undefined {
  if (option === undefined) return undefined
  const url = revealed(option)
  const isPlain = typeof url === 'string' || url instanceof URL
  // what came is not shown: it may have a secret
  if (typeof url !== 'string' && (typeof url !== 'object' || (url as unknown) === null || Array.isArray(url)))
    throw new InvalidOptionError(name, 'a URL, or an object that has a url', sortOf(url))
  const options = isPlain ? { url } : resolveOptions(name, url, WEBHOOK_OPTIONS)
  const { method = 'POST', headers = {}, body } = options as Partial<Resolved<typeof WEBHOOK_OPTIONS>>
  const parsed = readUrl(isPlain ? name : `${name}.url`, options.url)
  const token = basicToken(parsed)
  parsed.username = parsed.password = ''
  const hasAuthorization = Object.keys(headers).some((one) => one.toLowerCase() === 'authorization')
  return Object.freeze({
    url: parsed.href,
    method,
    headers: token === undefined || hasAuthorization ? headers : { ...headers, authorization: `Basic ${token}` },
    body,
  })
}

function readUrl(name: string, given: unknown): Url {
  const text = revealed(given)
  const url = typeof text === 'string' || text instanceof URL ? String(text) : ''
  const isSplit = splitsPageCredentials(url, isSecret(given))
  const parsed = URL.canParse(url) && !isSplit ? new URL(url) : undefined
  if (parsed?.protocol === 'https:' || parsed?.protocol === 'http:') return parsed
  // it may be a secret
  const got = given === undefined ? undefined : 'something else (not shown)'
  const hint = /:[^]*@/.test(url) ? PAGE_ENCODE_HINT : undefined
  throw new InvalidOptionError(name, 'a URL that starts with https:// or http://', got, { hint })
}

function readMethod(name: string, method: string | undefined): string {
  if (method === undefined) return 'POST'
  if (typeof method === 'string' && /^(post|put|patch)$/i.test(method)) return method.toUpperCase()
  throw new InvalidOptionError(name, "'POST', 'PUT' or 'PATCH'", method)
}

function readHeaders(
  name: string,
  headers: AlertWebhook['headers'] | undefined = {},
): { readonly [name: string]: string } {
  checkObject(name, headers)
  const plain = Object.entries(headers).map(([header, value]) => {
    const text = revealed(value)
    if (typeof text !== 'string') throw new InvalidOptionError(`${name}.${header}`, 'a string', typeof text)
    try {
      new Headers({ [header]: text })
    } catch {
      throw new InvalidOptionError(`${name}.${header}`, 'a header that can be sent', 'something else (not shown)')
    }
    return [header, text] as const
  })
  return Object.fromEntries(plain)
}
