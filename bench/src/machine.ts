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

interface ProcessStat {
  readonly parentId: number
  readonly ticks: number
}

function readStats(): ReadonlyMap<number, ProcessStat> {
  const stats = new Map<number, ProcessStat>()
  for (const entry of listFolder('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const text = readText(`/proc/${entry}/stat`)
    // The second field is the program's name in parentheses and may hold spaces and parentheses itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // From here man 5 proc counts state as field 3: ppid is 4; utime, stime, cutime, cstime are 14 to 17.
    const [parentId, ...times] = [4, 14, 15, 16, 17].map((no) => Number(fields[no - 3] ?? 0))
    stats.set(Number(entry), {
      parentId: parentId ?? 0,
      ticks: times.reduce((sum, time) => sum + time, 0),
    })
  }
  return stats
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
