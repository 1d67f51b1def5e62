import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Claim } from './claim.js'
import { isMissing, orMissing } from './missing.js'
import { isSavedPosition, type SavedPosition } from './saved-position.js'

/** Version of the layout. A file with another version is refused. */
const VERSION = 1

/** File on disk that keeps the position of an inlet. It is replaced as a whole, so it is never half written. */
export class PositionFile {
  readonly path: string
  #stored: string | undefined
  #claim: Claim | undefined

  constructor(path: string) {
    this.path = path
  }

  /**
   * Makes sure that the file can be written, with its folder, and that no other inlet uses it: of this process, or of
   * another one of this machine.
   *
   * @param owner - the inlet that uses it from now on, as others are told
   */
  async open(owner: string): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true })
    const claim = await Claim.take(this.path, owner)
    if (typeof claim === 'string') throw new Error(`it is in use by ${claim}: each inlet needs one of its own`)
    this.#claim = claim
    this.#stored = undefined
    await (await open(this.#draft, 'a')).close()
    await rm(this.#draft, { force: true })
  }

  /** Lets others use the file. */
  async close(): Promise<void> {
    const claim = this.#claim
    this.#claim = undefined
    await claim?.release()
  }

  /** Reads the position that was stored last; `undefined` when there is none. */
  async read(): Promise<SavedPosition | undefined> {
    const text = await orMissing(readFile(this.path, 'utf8'))
    if (text === undefined) return undefined
    const content = parse(text)
    if (!isSavedPosition(content) || !('version' in content) || content.version !== VERSION) {
      throw new Error('it holds no position of this inlet')
    }
    this.#stored = text
    const { inode, position, fingerprint, state, damaged } = content
    return { inode, position, fingerprint, state, damaged }
  }

  /** Stores a position, unless it is stored already. */
  async write(saved: SavedPosition): Promise<void> {
    const text = `${JSON.stringify({ version: VERSION, ...saved })}\n`
    if (text === this.#stored) return
    const file = await this.#openDraft()
    try {
      await file.writeFile(text)
      // otherwise, after a power failure, the name could be there without the content
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(this.#draft, this.path)
    this.#stored = text
  }

  get #draft(): string {
    return `${this.path}.tmp`
  }

  async #openDraft(): Promise<FileHandle> {
    try {
      return await open(this.#draft, 'w')
    } catch (error) {
      if (!isMissing(error)) throw error
      // its folder was there at the start, and somebody has removed it
      await mkdir(dirname(this.path), { recursive: true })
      return open(this.#draft, 'w')
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
