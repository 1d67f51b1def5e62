import { open, readFile, rename } from 'node:fs/promises'
import { orMissing } from './missing.js'
import { isSavedPosition, type SavedPosition } from './saved-position.js'

/** Version of the layout. A file with another version is refused. */
const VERSION = 1

/** File on disk that keeps the position of an inlet. It is replaced as a whole, so it is never half written. */
export class PositionFile {
  readonly path: string
  #stored: string | undefined

  constructor(path: string) {
    this.path = path
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
    const draft = `${this.path}.tmp`
    const file = await open(draft, 'w')
    try {
      await file.writeFile(text)
      // otherwise, after a power failure, the name could be there without the content
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, this.path)
    this.#stored = text
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
