/** A realistic outlet: writes each record to the file that its metadata names. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Link, Outlet, RandomIntInlet, type MetadataKey, type Record } from 'databay'

class FileOutlet extends Outlet {
  /** Metadata: path of the file to write to. */
  static readonly FILEPATH: MetadataKey = 'FileOutlet.FILEPATH'
  /** Metadata: how to open the file, `a` to append or `w` to replace. */
  static readonly FILE_MODE: MetadataKey = 'FileOutlet.FILE_MODE'

  readonly #filepath: string
  readonly #fileMode: string

  /** Takes the path and the mode for records whose metadata names none. */
  constructor(filepath = 'examples/output/default_output.txt', fileMode = 'a') {
    super()
    this.#filepath = filepath
    this.#fileMode = fileMode
  }

  async push(records: Record[]): Promise<void> {
    // one after another, so that lines are in the order of the records
    for (const { payload, metadata } of records) {
      const filepath = metadata[FileOutlet.FILEPATH] ?? this.#filepath
      const flag = metadata[FileOutlet.FILE_MODE] ?? this.#fileMode
      if (typeof filepath !== 'string' || typeof flag !== 'string')
        throw new TypeError('FileOutlet: metadata is no text')
      await mkdir(path.dirname(filepath), { recursive: true })
      await writeFile(filepath, `${String(payload)}\n`, { flag })
    }
  }
}

// each record of an inlet carries the inlet's metadata
const metadata = {
  [FileOutlet.FILEPATH]: 'examples/output/random_ints.txt',
  [FileOutlet.FILE_MODE]: 'a',
}

export const toFile = new Link({
  inlets: new RandomIntInlet(0, 100, { metadata }),
  outlets: new FileOutlet(),
  interval: { seconds: 2 },
  tags: 'file_outlet',
})
