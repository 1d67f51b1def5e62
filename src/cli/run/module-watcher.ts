import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { watch, type FSWatcher } from 'chokidar'
import { toError } from '../../base/errors.js'

/**
 * Time without a change after which modules are reloaded, in milliseconds: a build writes many files. Longer than the 50 ms
 * for which chokidar ignores further changes of a file.
 */
const QUIET = 150

/** Names of files that a module imports as code. Other files are more likely data, which links themselves may write. */
const CODE = /\.([cm]?[jt]s|wasm)$/
/** Names of folders that are not watched. */
const PASSED_OVER = /^(node_modules|\..+)$/

/** Actions on link modules whose code has changed. */
export interface ModuleActions {
  /** Reloads a module. */
  reload(module: string): Promise<void>
  /** Called when a module was reloaded. */
  reloaded(module: string): void
  /** Called when a module could not be reloaded, so that its old version runs on. */
  failed(module: string, error: Error): void
  /** Called when files cannot be watched. */
  broken(error: Error): void
}

/**
 * Reloads link modules when code changes: code in the folder of a module and below, apart from `node_modules` and hidden
 * folders, and files and folders that are named besides. Reloads one module at a time; what changes meanwhile comes next.
 */
export class ModuleWatcher {
  readonly #actions: ModuleActions
  readonly #quiet: number
  /** Modules, each with the folder that is watched for it. */
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

  /** Begins to watch. Resolves when changes are seen. */
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

  /** Stops watching. A module that is being reloaded is not waited for: a planner that shuts down does that. */
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
