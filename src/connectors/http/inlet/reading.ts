import type { Cursor } from '../../../core/cursor.js'
import type { Update } from '../../../core/update.js'
import { Lists } from '../../lists.js'
import type { Connection } from '../agents.js'
import { parseBody, recordsOf, type Losses } from './body-records.js'
import type { DeliveredValidators } from './delivered-validators.js'
import type { HttpResponse } from '../exchange.js'
import type { HttpInletSettings } from './inlet-settings.js'
import type { HttpRequest } from '../request.js'
import type { Tries } from '../retry.js'
import type { RunningPull } from './running-pulls.js'
import type { SincePage } from './since.js'
import type { SincePull } from './since-pull.js'
import { checkValidators, ifChanged, isSameVersion, validatorsOf, type Validators } from './validators.js'

/** Modules and connection of an inlet that is started. */
export interface Opened {
  readonly client: typeof import('./client.js')
  readonly connection: Connection
}

/** A pull: what all its requests have in common. */
export interface Pull extends Opened {
  readonly running: RunningPull
  readonly tries: Tries
  readonly losses: Losses
  readonly update: Update
  /** Durable cursor, if there is one. */
  readonly cursor: Cursor | undefined
}

/** What a {@link Reading} needs beside. */
export interface ReadPull extends Pull {
  /** Value of `since`, if there is one. */
  readonly since: SincePull | undefined
  /** Validators of earlier responses, if they are kept. */
  readonly validators: DeliveredValidators | undefined
  /** Called when all of a stream is there. */
  readonly onEnd: () => void
}

/** Reads what one pull gives: one response, pages, or lists of lines. */
export class Reading {
  readonly #settings: HttpInletSettings
  readonly #pull: ReadPull

  constructor(settings: HttpInletSettings, pull: ReadPull) {
    this.#settings = settings
    this.#pull = pull
  }

  /** Reads it: gives the records, or lists of them. */
  read(): Promise<unknown> {
    const { next, since } = this.#settings
    return next === undefined && (since === undefined || this.#streams) ? this.#one() : this.#pages()
  }

  /** Lists of a pull that streams. */
  #lists(first: unknown[], read: () => Promise<unknown[] | undefined>, close?: () => void): Lists<unknown> {
    const { running, onEnd } = this.#pull
    const readOn = async () => {
      running.signal.throwIfAborted()
      const list = await running.within(read)
      if (list === undefined) onEnd()
      return list
    }
    return new Lists(first, readOn, () => {
      close?.()
      running.end()
    })
  }

  /** Whether long bodies come list by list. */
  get #streams(): boolean {
    const { format, select, next, since } = this.#settings
    if (format !== 'ndjson' || select !== undefined || next !== undefined) return false
    return since === undefined || (since.record !== undefined && since.more === undefined)
  }

  /** Reads pages: a list of each that has records. */
  async #pages(): Promise<unknown> {
    const { request, next, maxPages, maxBodySize, select } = this.#settings
    const { client, losses, since } = this.#pull
    const pages = next && new client.Pages(next, maxPages)
    let left = maxBodySize
    let asked: HttpRequest | undefined = since?.ask() ?? request
    const read = async (): Promise<unknown[] | undefined> => {
      while (asked !== undefined) {
        const response: HttpResponse = await this.#exchange(asked, left)
        const body = parseBody(response, this.#settings, losses)
        left -= response.bytes.length
        const records = [recordsOf(response, body, select)].flat()
        asked = pages?.after(asked, response, body)
        const isLast = asked === undefined
        asked = since?.take(pageOf(response, body, records), isLast) ?? asked
        if (records.length > 0) return records
      }
      return undefined
    }
    const first = (await read()) ?? []
    // it may be set by now
    return (asked as HttpRequest | undefined) === undefined ? first : this.#lists(first, read)
  }

  async #one(): Promise<unknown> {
    const { request, maxBodySize, select, bigIntegers } = this.#settings
    const { client, tries, losses, since, cursor } = this.#pull
    const begun = this.#pull.validators?.begin(this.#pull.update)
    const known = cursor === undefined ? this.#pull.validators?.current : begun && checkValidators(cursor.value)
    const note =
      begun &&
      ((validators: Validators | undefined) => {
        begun(validators)
        cursor?.advance(validators ?? {})
      })
    const asked = known === undefined ? (since?.ask() ?? request) : ifChanged(request, known)
    const { response, lines, first, validators, isKnown } = await client.withTries(tries, async () => {
      const response = await this.#exchangeOnce(asked, maxBodySize, known !== undefined, this.#streams)
      const validators = note && validatorsOf(response.headers)
      // some servers send what is known as if it was not
      const isKnown = response.status === 200 && isSameVersion(known, validators)
      if (isKnown) response.opened?.stream.close()
      const lines = isKnown || response.opened === undefined ? undefined : new client.JsonLines(response, bigIntegers)
      return { response, lines, first: await lines?.next(), validators, isKnown }
    })
    if (isKnown || (response.status === 304 && known !== undefined)) return []
    if (lines === undefined) {
      const records = recordsOf(response, parseBody(response, this.#settings, losses), select)
      // only now, as an unusable response has to be requested again
      note?.(validators)
      since?.take(pageOf(response, undefined, [records].flat()), true)
      return records
    }
    const took = (list: unknown[] | undefined, isLast: boolean) => {
      since?.take(pageOf(response, undefined, list ?? []), isLast)
      return list
    }
    const end = () => {
      losses.characters += lines.replaced
      losses.bytes += lines.leftOut
      note?.(validators)
    }
    took(first, lines.isOver)
    if (lines.isOver) {
      end()
      return first ?? []
    }
    const readOn = async () => {
      const list = took(await lines.next(), false)
      if (list !== undefined) return list
      took(undefined, true)
      end()
      return undefined
    }
    return this.#lists(first ?? [], readOn, () => {
      lines.close()
    })
  }

  #exchange(request: HttpRequest, bodyLimit: number): Promise<HttpResponse> {
    return this.#pull.client.withTries(this.#pull.tries, () => this.#exchangeOnce(request, bodyLimit))
  }

  #exchangeOnce(
    request: HttpRequest,
    bodyLimit: number,
    mayBeUnchanged = false,
    streams = false,
  ): Promise<HttpResponse> {
    const { client, connection, tries } = this.#pull
    const { statuses } = this.#settings
    const accepts = (status: number) =>
      (status === 304 && mayBeUnchanged) || (statuses?.has(status) ?? (status >= 200 && status < 300))
    return client.exchange(connection, request, { ...this.#settings, accepts, bodyLimit, streams }, tries.signal)
  }
}

function pageOf({ request, status, headers }: HttpResponse, body: unknown, records: readonly unknown[]): SincePage {
  return { url: request.url.href, status, headers, body, records }
}
