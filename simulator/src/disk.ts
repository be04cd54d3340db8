/**
 * The file system that a simulated process gets: each operation may take its time, and the machine may stop right
 * before or right after any of them. What is kept then is for the memory file system of `@cairn/testing` to say.
 */
import type { Clock, FileSystem, OpenFile, OpenMode } from '@cairn/core'
import type { SeededRandom } from '@cairn/testing'

export interface DiskOptions {
  readonly files: FileSystem
  readonly clock: Clock
  readonly random: SeededRandom
  /** How likely an operation takes time at all. */
  readonly slowProbability: number
  readonly delayMsMax: number
  /** Called before and after each operation that changes something; the machine may stop there. */
  readonly onOperation: () => void
}

export function createDisk(options: DiskOptions): FileSystem {
  return new SimulatedDisk(options)
}

class Pace {
  readonly #options: DiskOptions

  constructor(options: DiskOptions) {
    this.#options = options
  }

  async around<T>(operation: () => Promise<T>): Promise<T> {
    const { random, slowProbability, onOperation } = this.#options
    const isSlow = random.chance(slowProbability)
    const isSlowBefore = isSlow && random.chance(0.5)
    if (isSlowBefore) await this.#sleep()
    onOperation()
    const value = await operation()
    onOperation()
    if (isSlow && !isSlowBefore) await this.#sleep()
    return value
  }

  #sleep(): Promise<void> {
    const { clock, random, delayMsMax } = this.#options
    // Now and then a disk takes a hundred times as long.
    return clock.sleep(random.below(delayMsMax) * (random.chance(0.01) ? 100 : 1))
  }
}

class SimulatedDisk implements FileSystem {
  readonly #files: FileSystem
  readonly #pace: Pace

  constructor(options: DiskOptions) {
    this.#files = options.files
    this.#pace = new Pace(options)
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    const open = () => this.#files.open(path, mode)
    const file = mode === 'create' ? await this.#pace.around(open) : await open()
    return new SimulatedFile(file, this.#pace)
  }

  exists(path: string): Promise<boolean> {
    return this.#files.exists(path)
  }

  list(directory: string): Promise<string[]> {
    return this.#files.list(directory)
  }

  makeDirectory(path: string): Promise<void> {
    return this.#pace.around(() => this.#files.makeDirectory(path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#pace.around(() => this.#files.rename(from, to))
  }

  remove(path: string): Promise<void> {
    return this.#pace.around(() => this.#files.remove(path))
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#pace.around(() => this.#files.syncDirectory(directory))
  }

  readFile(path: string): Promise<Uint8Array> {
    return this.#files.readFile(path)
  }

  writeFileAtomic(path: string, bytes: Uint8Array, fileMode?: number): Promise<void> {
    return this.#pace.around(() => this.#files.writeFileAtomic(path, bytes, fileMode))
  }

  freeBytes(path: string): Promise<number> {
    return this.#files.freeBytes(path)
  }
}

class SimulatedFile implements OpenFile {
  readonly #file: OpenFile
  readonly #pace: Pace

  constructor(file: OpenFile, pace: Pace) {
    this.#file = file
    this.#pace = pace
  }

  readSync(buffer: Uint8Array, position: number): number {
    return this.#file.readSync(buffer, position)
  }

  write(buffer: Uint8Array, position: number): Promise<void> {
    return this.#pace.around(() => this.#file.write(buffer, position))
  }

  syncData(): Promise<void> {
    return this.#pace.around(() => this.#file.syncData())
  }

  truncate(size: number): Promise<void> {
    return this.#pace.around(() => this.#file.truncate(size))
  }

  sizeSync(): number {
    return this.#file.sizeSync()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
