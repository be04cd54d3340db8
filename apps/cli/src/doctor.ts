/**
 * Looks at a data folder and says what is wrong with it, what it means, and what to do. Nothing is changed, and a
 * server may be running on the folder. Bytes and links of journals are judged; whether blocks say the truth is for
 * `cairn verify ledger`.
 */
import { X509Certificate } from 'node:crypto'
import { constants } from 'node:fs'
import { access, readdir, readFile, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, equalBytes } from '@cairn/core'
import {
  inspectLocks,
  JournalError,
  type JournalFinding,
  nodeFileSystem,
  verifyJournal,
} from '@cairn/journal'
import { type LedgerDescription, readProjectionWatermark } from '@cairn/ledger'

/** `problem`: something must be done. `note`: worth knowing, it heals by itself or is no matter. */
export interface DoctorFinding {
  readonly level: 'problem' | 'note' | 'ok'
  /** What it is about: the folder, `tls`, or the name of a ledger. */
  readonly subject: string
  /** One sentence: what was found. */
  readonly text: string
  /** What to do; empty when nothing is. */
  readonly remedy: string
}

export interface DoctorOptions {
  readonly directory: string
  readonly clock: Clock
  readonly onProgress: (text: string) => void
}

/** Below it the next segment of a journal may not fit. */
const freeBytesMin = 1024 * 1024 * 1024
const dayMs = 24 * 3600 * 1000
/** Certificates are renewed at a start; a server that runs for long is started again before they end. */
const certificateDaysMin = 30

export async function examine(options: DoctorOptions): Promise<DoctorFinding[]> {
  const { directory } = options
  if (!(await isThere(directory))) {
    return [
      problem(
        'folder',
        `There is no folder ${directory}.`,
        'Name the folder that cairn up --data-dir has; its default is ./data.',
      ),
    ]
  }
  const access = await examineAccess(directory)
  if (access.level === 'problem') return [access]
  return [
    access,
    await examineSpace(directory),
    ...(await examineLocks(directory)),
    ...(await examineTls(directory, options.clock)),
    ...(await examineLedgers(options)),
    ...(await examineImports(directory)),
  ]
}

function problem(subject: string, text: string, remedy: string): DoctorFinding {
  return { level: 'problem', subject, text, remedy }
}

function note(subject: string, text: string, remedy = ''): DoctorFinding {
  return { level: 'note', subject, text, remedy }
}

function ok(subject: string, text: string): DoctorFinding {
  return { level: 'ok', subject, text, remedy: '' }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** Permissions, of the folder and of what lies in it. */
async function examineAccess(directory: string): Promise<DoctorFinding> {
  const names = await readdir(directory, { recursive: true }).catch(() => undefined)
  const paths = [directory, ...(names ?? []).map((name) => join(directory, name))]
  let deniedCount = names === undefined ? 1 : 0
  let denied = directory
  for (const path of paths) {
    // A file that a running server has cleared away meanwhile is not denied.
    const error = await access(path, constants.R_OK | constants.W_OK).catch(
      (reason: NodeJS.ErrnoException) => reason,
    )
    if (error === undefined || error.code === 'ENOENT') continue
    if (deniedCount++ === 0) denied = path
  }
  if (deniedCount === 0) return ok('folder', `${directory} can be read and written.`)
  const user = process.getuid?.()
  return problem(
    'folder',
    `${deniedCount} files or folders cannot be read and written, the first is ${denied}.`,
    `Give them to the user that runs the server: chown -R USER ${directory}. ` +
      'A server that was started once by root leaves files of root.' +
      (user === undefined ? '' : ` This user has the number ${user}.`),
  )
}

async function examineSpace(directory: string): Promise<DoctorFinding> {
  const { bavail, bsize, blocks } = await statfs(directory)
  const free = bavail * bsize
  const text = `${sizeText(free)} of ${sizeText(blocks * bsize)} are free on the disk.`
  if (free >= freeBytesMin) return ok('disk', text)
  return problem(
    'disk',
    text,
    'Make room. A ledger whose disk is full stops taking transactions and loses none; ' +
      'start the server again once there is room.',
  )
}

async function examineLocks(directory: string): Promise<DoctorFinding[]> {
  const locks = await inspectLocks(directory)
  return locks.map(({ path, pid, host, state }) => {
    switch (state) {
      case 'alive':
        return ok('lock', `A server is running on the folder, process ${pid}.`)
      case 'stale':
        return note(
          'lock',
          `Process ${pid} ended without letting go; the next start clears ${path} away.`,
        )
      case 'otherMachine':
        return problem(
          'lock',
          host === ''
            ? `${path} is no lock that can be read.`
            : `Process ${pid} of machine ${host} holds the folder, so no server starts here.`,
          `If no server runs on the folder there any more, remove ${path}. ` +
            'Two servers on one folder would damage it.',
        )
      default:
        throw new Error(state satisfies never)
    }
  })
}

async function examineTls(directory: string, clock: Clock): Promise<DoctorFinding[]> {
  const out: DoctorFinding[] = []
  for (const name of ['ca', 'server']) {
    const path = join(directory, 'tls', `${name}.pem`)
    if (!(await isThere(path))) continue
    const renewal =
      name === 'ca'
        ? 'A start makes a new authority when this one has ended; clients then need the new file.'
        : 'Start the server again: it renews the certificate then.'
    try {
      const { validTo } = new X509Certificate(await readFile(path))
      const days = Math.floor((Date.parse(validTo) - clock.nowMs()) / dayMs)
      const what = name === 'ca' ? 'The certificate authority' : 'The server certificate'
      if (days < 0) out.push(problem('tls', `${what} has ended, ${-days} days ago.`, renewal))
      else if (days < certificateDaysMin) {
        out.push(note('tls', `${what} ends in ${days} days.`, renewal))
      } else out.push(ok('tls', `${what} is valid for ${days} days.`))
    } catch {
      out.push(
        problem(
          'tls',
          `${path} is no certificate.`,
          'Move it away together with its key; a start makes new ones.',
        ),
      )
    }
    out.push(...(await examineKey(directory, name)))
  }
  return out
}

/** A private key that others can read is none. */
async function examineKey(directory: string, name: string): Promise<DoctorFinding[]> {
  const path = join(directory, 'tls', `${name}-key.pem`)
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) {
    return [
      problem(
        'tls',
        `The private key ${path} is missing.`,
        `Remove ${name}.pem; a start makes both anew.`,
      ),
    ]
  }
  if ((found.mode & 0o077) === 0) return []
  return [problem('tls', `Other users of the machine can read ${path}.`, `chmod 600 ${path}`)]
}

async function examineLedgers(options: DoctorOptions): Promise<DoctorFinding[]> {
  const root = join(options.directory, 'ledgers')
  if (!(await isThere(root))) return [note('ledgers', 'The folder has no ledgers yet.')]
  const out: DoctorFinding[] = []
  for (const strandId of await readdir(root)) {
    out.push(...(await examineLedger(join(root, strandId), strandId, options)))
  }
  return out.length === 0 ? [note('ledgers', 'The folder has no ledgers.')] : out
}

async function examineLedger(
  directory: string,
  strandId: string,
  options: DoctorOptions,
): Promise<DoctorFinding[]> {
  const path = join(directory, 'ledger.json')
  if (!(await isThere(path))) {
    return [
      note(
        strandId,
        'The rest of a ledger that was never made whole; the next start clears it away.',
      ),
    ]
  }
  let description: LedgerDescription
  try {
    description = JSON.parse(await readFile(path, 'utf8')) as LedgerDescription
  } catch {
    const remedy = 'The server does not start with it. Restore this small file from a backup.'
    return [problem(strandId, `${path} is no JSON.`, remedy)]
  }
  const { name, state } = description
  if (state === 'DELETING') {
    return [note(name, 'It was deleted; the next start clears the rest of it away.')]
  }
  try {
    return await examineJournal(directory, name, options)
  } catch (error) {
    if (error instanceof JournalError) return [problem(name, error.shortMessage, remedyOf(error))]
    throw error
  }
}

function remedyOf(error: JournalError): string {
  if (error.code === 'UNSUPPORTED_VERSION') {
    return 'A newer Cairn has written it. Run that version, or one after it, on this folder.'
  }
  return error.message.split('\n').slice(1).join(' ')
}

async function examineJournal(
  directory: string,
  name: string,
  { onProgress }: DoctorOptions,
): Promise<DoctorFinding[]> {
  const watermark = await readProjectionWatermark(directory).catch(() => null)
  let projectedHash: Uint8Array | undefined
  const report = await verifyJournal({
    directory: `${directory}/journal`,
    fileSystem: nodeFileSystem,
    onRecord({ sequenceNo, hash }) {
      if (sequenceNo === watermark?.sequenceNo) projectedHash = hash.slice()
    },
    onProgress: ({ judgedBytes, totalBytes }) =>
      onProgress(`Ledger ${name}: ${sizeText(judgedBytes)} of ${sizeText(totalBytes)} …`),
  })
  const out = report.findings.map((finding) => journalFinding(name, finding))
  if (watermark === null) {
    out.push(
      problem(
        name,
        'Its projection cannot be read.',
        `Remove ${directory}/projection while the server is stopped; the next start builds it again from the journal.`,
      ),
    )
  } else if (watermark === undefined) {
    out.push(
      note(
        name,
        'It has no projection, or one of an older layout: the next start builds it from the journal, about 20 seconds per million blocks.',
      ),
    )
  } else if (watermark.sequenceNo >= report.nextSequenceNo) {
    out.push(
      problem(
        name,
        `Its journal ends at block ${report.nextSequenceNo - 1}, and block ` +
          `${watermark.sequenceNo} was on the disk before: blocks are lost.`,
        restoreRemedy,
      ),
    )
  } else if (projectedHash !== undefined && !equalBytes(projectedHash, watermark.blockHash)) {
    out.push(
      problem(
        name,
        `Block ${watermark.sequenceNo} of its journal is not the one that was projected: ` +
          'the journal was exchanged.',
        `Put the right journal back. If this one is right, remove ${directory}/projection; it is built again.`,
      ),
    )
  } else if (report.nextSequenceNo - 1 > watermark.sequenceNo) {
    const behind = report.nextSequenceNo - 1 - watermark.sequenceNo
    out.push(
      note(
        name,
        `Its projection is ${behind} blocks behind; a running server or the next start catches up.`,
      ),
    )
  }
  if (out.some(({ level }) => level === 'problem')) return out
  const { nextSequenceNo, segmentCount, judgedBytes } = report
  const size = `${nextSequenceNo} blocks in ${segmentCount} files, ${sizeText(judgedBytes)}`
  return [ok(name, `Its journal is whole: ${size}.`), ...out]
}

const restoreRemedy =
  'Stop the server, move the folder of the ledger away, and restore: cairn ledger restore BACKUP. ' +
  'Keep the damaged folder; blocks after the backup may still be read from it.'

function journalFinding(name: string, finding: JournalFinding): DoctorFinding {
  const { kind, message, file, startSequenceNo, endSequenceNo } = finding
  switch (kind) {
    case 'unfinished':
      return note(
        name,
        `${message} File ${file}, behind block ${startSequenceNo - 1}.`,
        'A crash leaves this. The next start cuts it off; nothing that was answered is in it.',
      )
    case 'missing':
    case 'damaged': {
      const blocks = `blocks ${startSequenceNo} to ${Math.max(startSequenceNo, endSequenceNo - 1)}`
      return problem(name, `${message} File ${file}, ${blocks}.`, restoreRemedy)
    }
    default:
      throw new Error(kind satisfies never)
  }
}

async function examineImports(directory: string): Promise<DoctorFinding[]> {
  const root = join(directory, 'imports')
  if (!(await isThere(root))) return []
  return (await readdir(root)).map((name) =>
    note(
      name,
      `An import or a restore under this name did not come to its end; it is in ${join(root, name)}.`,
      'Give the same command again and it goes on, or remove the folder. It is no ledger yet.',
    ),
  )
}

export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`
}
