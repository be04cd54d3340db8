/** Jobs of the control API, exports and streams, as one JSON file each, so that a restart goes on with them. */
import { type FileSystem, fromUtf8, type Logger, utf8 } from '@cairn/core'

/** They name keys and places, and later may name secrets: for the owner only. */
const fileMode = 0o600

export class JobFiles<T> {
  readonly #files: FileSystem
  readonly #directory: string
  readonly #logger: Logger

  /** @param directory Made with the first job. */
  constructor(files: FileSystem, directory: string, logger: Logger) {
    this.#files = files
    this.#directory = directory
    this.#logger = logger
  }

  /** What can be read; a file that cannot is logged and left. */
  async load(): Promise<Map<string, T>> {
    const jobs = new Map<string, T>()
    if (!(await this.#files.exists(this.#directory))) return jobs
    for (const name of await this.#files.list(this.#directory)) {
      const id = /^([0-9A-Za-z]{22})\.json$/.exec(name)?.[1]
      if (id === undefined) continue
      const path = this.#pathOf(id)
      try {
        jobs.set(id, JSON.parse(fromUtf8(await this.#files.readFile(path))) as T)
      } catch (error) {
        this.#logger.log('error', 'a job cannot be read and is left alone', { path, error })
      }
    }
    return jobs
  }

  /** Answers when it is on the disk. */
  async write(id: string, job: T): Promise<void> {
    await this.#files.makeDirectory(this.#directory)
    const bytes = utf8(`${JSON.stringify(job, undefined, 2)}\n`)
    await this.#files.writeFileAtomic(this.#pathOf(id), bytes, fileMode)
  }

  async remove(id: string): Promise<void> {
    await this.#files.remove(this.#pathOf(id))
  }

  #pathOf(id: string): string {
    return `${this.#directory}/${id}.json`
  }
}
