/** Facts about the machine a measurement was taken on, and the CPU time of other processes. Linux knows all of them. */
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'

export interface Machine {
  readonly cpuModel: string
  readonly coreCount: number
  readonly memoryGiB: number
  readonly node: string
  readonly kernel: string
  /** Of the folder the databases under test write to; `unknown` outside Linux. */
  readonly fileSystem: string
  /** One-minute load average when the measurement began. */
  readonly loadAverage: number
}

/** @param directory Where the databases under test keep their files. */
export function machineFacts(directory: string): Machine {
  const [cpu] = cpus()
  return {
    cpuModel: cpu?.model.trim() ?? 'unknown',
    coreCount: cpus().length,
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    node: process.version,
    kernel: release(),
    fileSystem: fileSystemOf(directory),
    loadAverage: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  }
}

/** The type of the file system that holds `directory`: `ext4`, `tmpfs`, … */
export function fileSystemOf(directory: string): string {
  const path = realpathSync(directory)
  let best = { mountPoint: '', type: 'unknown' }
  for (const line of readText('/proc/mounts').split('\n')) {
    const [, mountPoint = '', type = 'unknown'] = line.split(' ')
    const isAbove = path === mountPoint || path.startsWith(mountPoint.replace(/\/?$/, '/'))
    if (isAbove && mountPoint.length >= best.mountPoint.length) best = { mountPoint, type }
  }
  return best.type
}

/** `USER_HZ`, fixed at 100 on Linux whatever the kernel's own tick is (man 7 time). */
const ticksPerSecond = 100

/**
 * User and system time of a process, its living descendants, and its dead children that it has waited for.
 * @returns Microseconds in steps of 10,000, or undefined where there is no /proc.
 */
export function processTreeCpuUs(rootId: number): number | undefined {
  const stats = readStats()
  if (!stats.has(rootId)) return undefined
  let ticks = 0
  const open = [rootId]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    ticks += stats.get(id)?.ticks ?? 0
    for (const [childId, stat] of stats) if (stat.parentId === id) open.push(childId)
  }
  return (ticks * 1_000_000) / ticksPerSecond
}

/** User and system time of this process's children that have ended; 0 where there is no /proc. In steps of 10,000. */
export function endedChildrenCpuUs(): number {
  return ((readStat('self')?.endedTicks ?? 0) * 1_000_000) / ticksPerSecond
}

/** Resident memory of a process in MiB: its own, and pages of mapped files that the kernel can take back. */
export function residentMiB(processId: number): { readonly own: number; readonly files: number } {
  const status = readText(`/proc/${processId}/status`)
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024
  return { own: of('RssAnon') + of('RssShmem'), files: of('RssFile') }
}

interface ProcessStat {
  readonly parentId: number
  /** Its own and those of its ended children. */
  readonly ticks: number
  readonly endedTicks: number
}

function readStats(): ReadonlyMap<number, ProcessStat> {
  const stats = new Map<number, ProcessStat>()
  for (const entry of listFolder('/proc')) {
    const stat = /^\d+$/.test(entry) ? readStat(entry) : undefined
    if (stat !== undefined) stats.set(Number(entry), stat)
  }
  return stats
}

function readStat(entry: string): ProcessStat | undefined {
  const text = readText(`/proc/${entry}/stat`)
  if (text === '') return undefined
  // The second field is the program's name in parentheses and may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  // From here man 5 proc counts state as field 3: ppid is 4; utime, stime, cutime, cstime are 14 to 17.
  const field = (no: number): number => Number(fields[no - 3] ?? 0)
  const endedTicks = field(16) + field(17)
  return { parentId: field(4), ticks: field(14) + field(15) + endedTicks, endedTicks }
}

function listFolder(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Empty when there is no such file: processes end while we look, and other systems have no /proc. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
