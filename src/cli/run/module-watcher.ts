import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { watch, type FSWatcher } from 'chokidar'
import { toError } from '../../base/errors.js'

/**
 * How long it is quiet after a change before modules are loaded anew, in milliseconds: a build writes many files. Longer
 * than the 50 ms for which chokidar passes over further changes of a file.
 */
const QUIET = 150

/** Endings of what a module imports as code. Others are more likely data, which links themselves may write. */
const CODE = /\.([cm]?[jt]s|wasm)$/
const PASSED_OVER = /^(node_modules|\..+)$/

/** What is done about the modules. */
export interface ModuleActions {
  /** Loads a module anew. */
  reload(module: string): Promise<void>
  /** Tells that a module was loaded anew. */
  reloaded(module: string): void
  /** Tells that it could not be, and that its old version runs on. */
  failed(module: string, error: Error): void
  /** Tells that files cannot be watched. */
  broken(error: Error): void
}

/**
 * Has link modules loaded anew when code changes: that in the folder of a module or below, apart from `node_modules` and
 * hidden folders, and whatever is named besides. Never two at a time; what changes meanwhile is loaded thereafter.
 */
export class ModuleWatcher {
  readonly #actions: ModuleActions
  readonly #quiet: number
  /** The modules, by the folder that is watched for them. */
  readonly #folders: { readonly folder: string; readonly module: string }[]
  readonly #paths: readonly string[]
  readonly #changed = new Set<string>()
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> | undefined

  /**
   * @param modules - URLs of the link modules
   * @param paths - further files and folders; a change of one concerns all modules
   */
  constructor(modules: readonly string[], paths: readonly string[], actions: ModuleActions, quiet = QUIET) {
    this.#folders = modules.map((module) => ({ folder: path.dirname(fileURLToPath(module)), module }))
    this.#paths = paths.map((one) => path.resolve(one))
    this.#actions = actions
    this.#quiet = quiet
  }

  /** Resolves when changes are seen. */
  async open(): Promise<void> {
    const folders = this.#folders.map(({ folder }) => folder)
    const watcher = watch([...new Set([...folders, ...this.#paths])], {
      ignoreInitial: true,
      ignored: (file, stats) => !this.#concerns(file, stats?.isFile() ?? false),
    })
    this.#watcher = watcher
    watcher.on('all', (_event, file) => {
      this.#note(path.resolve(file))
    })
    watcher.on('error', (error) => {
      this.#actions.broken(toError(error))
    })
    await new Promise<void>((resolve) => watcher.once('ready', resolve))
  }

  /** Stops watching. What is being loaded is not waited for: a planner that shuts down does that. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#changed.clear()
    await this.#watcher?.close()
  }

  #concerns(file: string, isFile: boolean): boolean {
    const absolute = path.resolve(file)
    if (this.#paths.some((named) => isWithin(absolute, named))) return true
    return this.#folders.some(({ folder }) => {
      const parts = path.relative(folder, absolute).split(path.sep)
      return !parts.some((part) => PASSED_OVER.test(part) && part !== '..') && (!isFile || CODE.test(file))
    })
  }

  #note(file: string): void {
    const everything = this.#paths.some((named) => isWithin(file, named))
    for (const { folder, module } of this.#folders) if (everything || isWithin(file, folder)) this.#changed.add(module)
    if (this.#work === undefined) this.#wait()
  }

  #wait(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#work = this.#loadChanged().finally(() => {
        this.#work = undefined
        if (this.#changed.size > 0) this.#wait()
      })
    }, this.#quiet)
  }

  async #loadChanged(): Promise<void> {
    const modules = [...this.#changed]
    this.#changed.clear()
    for (const module of modules) {
      try {
        await this.#actions.reload(module)
        this.#actions.reloaded(module)
      } catch (thrown) {
        this.#actions.failed(module, toError(thrown))
      }
    }
  }
}

function isWithin(file: string, folder: string): boolean {
  const relative = path.relative(folder, file)
  return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative))
}
