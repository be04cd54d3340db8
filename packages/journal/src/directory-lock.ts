/**
 * Keeps a second process out of a data folder. Node has no flock, so the lock is a file per contender:
 *
 *     1 make my file, synced and whole     2 list the others     3 one alive: give way     none: the folder is mine
 *
 * Of two contenders, the one whose file came second sees the first in its list, so never both go on. A holder that was
 * killed leaves its file; it is stale when its process is gone, or is another one by start time or boot (Linux).
 * Not here: holders on other machines. Whether those live cannot be seen from here, so they are believed.
 */
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { hostname } from 'node:os'
import { JournalError } from './errors.ts'

export interface DirectoryLock {
  /** Gives the folder free; a second call does nothing. */
  release(): Promise<void>
}

interface Contender {
  /** A claiming one gives way or becomes the holder within milliseconds. */
  readonly state: 'claiming' | 'holding '
  readonly pid: number
  readonly host: string
  /** Clock ticks after boot; empty where there is no /proc. */
  readonly startTime: string
  readonly bootId: string
}

const namePattern = /^lock\.\d+\.[0-9a-f]+$/
/** Two that start in the same instant both give way and come back after unequal pauses. */
const attemptCountMax = 20
const pauseMsMax = 30

/**
 * Locks `directory`, which is made when it does not exist.
 * @throws JournalError LOCKED while another process, or another part of this one, holds it.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  await fs.mkdir(directory, { recursive: true })
  for (let attempt = 1; ; attempt++) {
    const name = `lock.${process.pid}.${randomBytes(6).toString('hex')}`
    const path = `${directory}/${name}`
    await claim(path)
    const rival = await findRival(directory, name)
    if (rival === undefined) {
      await hold(path)
      return { release: () => fs.rm(path, { force: true }) }
    }
    await fs.rm(path, { force: true })
    if (rival.state === 'holding ' || attempt === attemptCountMax) throw locked(directory, rival)
    await pause()
  }
}

/** A lock file as it lies in a data folder. */
export interface LockFile {
  readonly path: string
  readonly pid: number
  /** Empty when the file is not readable as a lock. */
  readonly host: string
  /** `alive`: its process runs here. `stale`: it is gone, and the next start clears the file away. */
  readonly state: 'alive' | 'stale' | 'otherMachine'
}

/** The lock files of `directory`, judged and left as they are. */
export async function inspectLocks(directory: string): Promise<LockFile[]> {
  const out: LockFile[] = []
  for (const name of await fs.readdir(directory)) {
    if (!namePattern.test(name)) continue
    const path = `${directory}/${name}`
    const contender = await readContender(path, name)
    if (contender === undefined) continue
    const { pid, host } = contender
    const isHere = host === hostname()
    const state = !isHere ? 'otherMachine' : (await isAlive(contender)) ? 'alive' : 'stale'
    out.push({ path, pid, host, state })
  }
  return out
}

async function claim(path: string): Promise<void> {
  const self: Contender = {
    state: 'claiming',
    pid: process.pid,
    host: hostname(),
    startTime: (await processStat(process.pid))?.startTime ?? '',
    bootId: await currentBootId(),
  }
  const temporary = `${path}.tmp`
  // Synced before it has its name: a power loss must not leave a lock that says nothing.
  await fs.writeFile(temporary, encode(self), { mode: 0o600, flush: true })
  await fs.rename(temporary, path)
}

function encode({ state, ...facts }: Contender): string {
  return `${state}\n${JSON.stringify(facts)}\n`
}

/** Both states have eight letters, so the word is replaced in place and the name stays visible throughout. */
async function hold(path: string): Promise<void> {
  const file = await fs.open(path, 'r+')
  try {
    await file.write('holding ', 0)
  } finally {
    await file.close()
  }
}

/** The first other contender that lives; removes the files of those that do not. */
async function findRival(
  directory: string,
  ownName: string,
): Promise<(Contender & { readonly path: string }) | undefined> {
  for (const name of await fs.readdir(directory)) {
    if (name === ownName || !namePattern.test(name)) continue
    const path = `${directory}/${name}`
    const contender = await readContender(path, name)
    if (contender === undefined) continue
    if (await isAlive(contender)) return { ...contender, path }
    await fs.rm(path, { force: true })
  }
  return undefined
}

async function readContender(path: string, name: string): Promise<Contender | undefined> {
  let text: string
  try {
    text = await fs.readFile(path, 'utf8')
  } catch (error) {
    // It gave way, or released.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return decode(text) ?? unreadable(name)
}

function decode(text: string): Contender | undefined {
  const [state, json] = text.split('\n')
  if ((state !== 'claiming' && state !== 'holding ') || json === undefined) return undefined
  try {
    const facts = JSON.parse(json) as Partial<Contender>
    const { pid, host, startTime, bootId } = facts
    const isWhole =
      typeof pid === 'number' &&
      typeof host === 'string' &&
      typeof startTime === 'string' &&
      typeof bootId === 'string'
    return isWhole ? { state, pid, host, startTime, bootId } : undefined
  } catch {
    return undefined
  }
}

/** Not ours to judge: held, as far as anybody can tell, by the process in its name on a machine without a name. */
function unreadable(name: string): Contender {
  return { state: 'holding ', pid: Number(name.split('.')[1]), host: '', startTime: '', bootId: '' }
}

async function isAlive(contender: Contender): Promise<boolean> {
  if (contender.host !== hostname()) return true
  if (contender.bootId !== (await currentBootId())) return false
  if (contender.startTime === '') return isRunning(contender.pid)
  const stat = await processStat(contender.pid)
  // A zombie has ended; only its parent has not looked yet.
  const isEnded = stat === undefined || stat.state === 'Z' || stat.state === 'X'
  return !isEnded && stat.startTime === contender.startTime
}

/** Where there is no /proc. A process of another user answers EPERM, and runs. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** State and start time from /proc/PID/stat (proc(5), fields 3 and 22), or undefined when there is no such process. */
async function processStat(pid: number): Promise<{ state: string; startTime: string } | undefined> {
  const text = await readText(`/proc/${pid}/stat`)
  // The command, field 2, stands in parentheses and may hold anything, parentheses too.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  const state = fields?.[0]
  const startTime = fields?.[19]
  return state === undefined || startTime === undefined ? undefined : { state, startTime }
}

/** Start times count from the boot, so they say nothing across one. Empty where there is no /proc. */
async function currentBootId(): Promise<string> {
  return (await readText('/proc/sys/kernel/random/boot_id'))?.trim() ?? ''
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, 'utf8')
  } catch {
    // No /proc, no such process, or gone while it was read: all the same to the caller.
    return undefined
  }
}

function locked(
  directory: string,
  { pid, host, path }: Contender & { readonly path: string },
): JournalError {
  const isHere = host === hostname()
  const where = isHere ? 'this machine' : host === '' ? 'an unknown machine' : `machine '${host}'`
  const remedy = isHere
    ? 'Stop that process first, or use another folder.'
    : 'From here nobody can see whether it still runs. When you are sure that it does not, delete the lock file.'
  return new JournalError(
    { code: 'LOCKED', directory, pid, host },
    {
      shortMessage: `The folder is in use by process ${pid} on ${where}.`,
      metaMessages: [`Directory: ${directory}`, `Lock file: ${path}`, remedy],
      docsPath: 'reference/errors#locked',
    },
  )
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * pauseMsMax))
}
