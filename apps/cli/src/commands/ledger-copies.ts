/** `cairn ledger import|export|backup|restore`: whole ledgers from and to folders, without a server in between. */
import { resolve } from 'node:path'
import { systemRandom, toBase64 } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { exportFormats } from '@cairn/journal-export'
import { backupLedger, type ImportReport, importLedger, restoreLedger } from '@cairn/ledger'
import {
  type Command,
  type CommandContext,
  exitDone,
  jsonOption,
  type OptionSpec,
} from '../command.ts'
import { defaultDataDirectory } from '../endpoint.ts'
import { CliError } from '../errors.ts'
import { openExportFolder } from '../export-folder.ts'
import { exportLedger } from '../export-ledger.ts'
import { type Bar, createBar } from '../progress.ts'
import { print, printError } from '../terminal.ts'
import { readDigestFile } from '../verify-common.ts'

const ledgerPositional = { name: 'LEDGER', help: 'name of the ledger' }
const dataDirOption: OptionSpec = {
  name: 'data-dir',
  value: 'DIR',
  help: 'the data folder (default: ./data)',
}
const stopNote =
  'The data folder is written to, so the server on it is stopped first; start it again afterwards.'
const besideNote = 'A server may be running on the data folder, and goes on undisturbed.'

export const importCommand: Command = {
  path: ['ledger', 'import'],
  summary: 'Continue a ledger from a journal export of QLDB or Cairn',
  options: [
    dataDirOption,
    {
      name: 'expect-digest',
      value: 'FILE',
      help: 'a digest that was saved: refuse an export that does not give it',
    },
    jsonOption,
  ],
  positionals: [
    { name: 'LEDGER', help: 'name that the ledger is to have' },
    { name: 'EXPORT', help: 'folder that the export was downloaded to, or its completed manifest' },
  ],
  examples: [
    'cairn ledger import titles ./qldb-export',
    'cairn ledger import titles ./qldb-export --expect-digest digest-2023.json',
  ],
  notes: [
    'Strand, block addresses and block hashes are kept: digests and proofs of the old ledger go on\n' +
      'to verify. Every block is checked; the first that is wrong is named, and nothing is imported.\n' +
      'An interrupted import goes on where it stood when the same command is given again.',
    'Formats: ION_TEXT, ION_BINARY and JSON. JSON has lost types: a document is taken only where\n' +
      'its hash proves what it was.',
    stopNote,
  ],
  async run(context) {
    const { args, terminal } = context
    const digestPath = args.text('expect-digest')
    const known = digestPath === undefined ? undefined : await readDigestFile(digestPath)
    const { source } = await openExportFolder(resolve(args.required(1)), nodeFileSystem)
    if (known !== undefined && known.tip.strandId !== source.strandId) {
      throw otherStrand(digestPath ?? '', known.tip.strandId, source.strandId)
    }
    const report = await withBar(context, 'Import', (bar) =>
      importLedger({
        directory: dataDirectory(context),
        name: args.required(0),
        source,
        ...(known === undefined
          ? {}
          : { expectedDigest: { sequenceNo: known.tip.sequenceNo, digest: known.digest } }),
        onProgress: ({ blockCount, totalBlockCount }) => bar.update(blockCount, totalBlockCount),
      }),
    )
    const isExpected = known !== undefined
    print(
      terminal,
      args.flag('json')
        ? JSON.stringify({ ...importJson(report), isDigestExpected: isExpected })
        : importText('Imported', report, isExpected ? `\n  It gives ${known.source}.` : ''),
    )
    return exitDone
  },
}

export const exportCommand: Command = {
  path: ['ledger', 'export'],
  summary: 'Write all blocks of a ledger as a journal export, in a format of QLDB',
  options: [
    dataDirOption,
    {
      name: 'format',
      value: 'FORMAT',
      choices: exportFormats,
      help: 'of the blocks (default: ION_TEXT)',
    },
    jsonOption,
  ],
  positionals: [ledgerPositional, { name: 'FOLDER', help: 'folder to make' }],
  examples: [
    'cairn ledger export titles ./titles-export',
    'cairn ledger export titles ./titles-json --format JSON',
  ],
  notes: [
    'What the export holds can be checked and imported by anyone: cairn ledger import.\n' +
      'An interrupted export goes on where it stood when the same command is given again.',
    besideNote,
  ],
  async run(context) {
    const { args, terminal } = context
    const target = resolve(args.required(1))
    const { request, blockCount, digest } = await withBar(context, 'Export', (bar) =>
      exportLedger({
        directory: dataDirectory(context),
        name: args.required(0),
        target,
        format: (args.text('format') ?? 'ION_TEXT') as (typeof exportFormats)[number],
        fileSystem: nodeFileSystem,
        clock: terminal.clock,
        random: systemRandom,
        onReading: () => printError(terminal, 'Reading the ledger to its end …'),
        onBlock: (count, total) => bar.update(count, total),
      }),
    )
    const { ledgerName, strandId, exportId, format } = request
    const report = { ledger: ledgerName, strandId, blockCount, digest, folder: target }
    print(
      terminal,
      args.flag('json')
        ? JSON.stringify({ ...report, exportId, format })
        : `Exported ledger ${ledgerName}: ${blockCount} blocks, strand ${strandId}, ` +
            `to ${target}.\n  Digest ${digest} at block ${blockCount - 1}.`,
    )
    return exitDone
  },
}

export const backupCommand: Command = {
  path: ['ledger', 'backup'],
  summary: 'Copy a ledger into a folder, checked, while the server goes on',
  options: [dataDirOption, jsonOption],
  positionals: [ledgerPositional, { name: 'FOLDER', help: 'folder to make' }],
  examples: ['cairn ledger backup titles /backups/titles-2026-01-31'],
  notes: [
    'Each block is checked as it is copied. An interrupted backup goes on where it stood when the\n' +
      'same command is given again. Keep the digest that it prints apart from the backup.',
    besideNote,
  ],
  async run(context) {
    const { args, terminal } = context
    const target = resolve(args.required(1))
    const { name, strandId, blockCount, revisionCount, digest, resumedBlockCount } = await withBar(
      context,
      'Backup',
      (bar) =>
        backupLedger({
          directory: dataDirectory(context),
          name: args.required(0),
          target,
          onProgress: (progress) => bar.update(progress.blockCount, undefined),
        }),
    )
    const facts = { ledger: name, strandId, blockCount, revisionCount, digest: toBase64(digest) }
    print(
      terminal,
      args.flag('json')
        ? JSON.stringify({ ...facts, folder: target, resumedBlockCount })
        : `Backed up ledger ${name}: ${blockCount} blocks with ${revisionCount} revisions, ` +
            `strand ${strandId}, to ${target}.\n` +
            `  Digest ${facts.digest} at block ${blockCount - 1}.`,
    )
    return exitDone
  },
}

export const restoreCommand: Command = {
  path: ['ledger', 'restore'],
  summary: 'Make a ledger from a backup again, every block checked',
  options: [
    dataDirOption,
    { name: 'name', value: 'LEDGER', help: 'name that it is to have (default: the one it had)' },
    jsonOption,
  ],
  positionals: [{ name: 'FOLDER', help: 'folder that cairn ledger backup made' }],
  examples: ['cairn ledger restore /backups/titles-2026-01-31'],
  notes: [
    'A backup that is not what it was when it was made is refused, and nothing is restored.\n' +
      'An interrupted restore goes on where it stood when the same command is given again.',
    stopNote,
  ],
  async run(context) {
    const { args, terminal } = context
    const name = args.text('name')
    const report = await withBar(context, 'Restore', (bar) =>
      restoreLedger({
        backup: resolve(args.required(0)),
        directory: dataDirectory(context),
        ...(name === undefined ? {} : { name }),
        onProgress: ({ blockCount, totalBlockCount }) => bar.update(blockCount, totalBlockCount),
      }),
    )
    print(
      terminal,
      args.flag('json') ? JSON.stringify(importJson(report)) : importText('Restored', report, ''),
    )
    return exitDone
  },
}

function dataDirectory({ args }: CommandContext): string {
  return resolve(args.text('data-dir') ?? defaultDataDirectory)
}

async function withBar<T>(
  { terminal }: CommandContext,
  label: string,
  work: (bar: Bar) => Promise<T>,
): Promise<T> {
  const bar = createBar(terminal, label, 'blocks')
  try {
    return await work(bar)
  } finally {
    bar.end()
  }
}

function importJson(report: ImportReport): Readonly<Record<string, unknown>> {
  const { name, digest, ...rest } = report
  return { ledger: name, ...rest, digest: toBase64(digest) }
}

function importText(verb: string, report: ImportReport, more: string): string {
  const { name, strandId, blockCount, revisionCount, tableCount, notes } = report
  const parts = [
    ['blocks sealed by QLDB', report.qldbBlockCount],
    ['redacted revisions', report.redactedRevisionCount],
    ['internal revisions, known by their hash', report.internalRevisionCount],
    ['blocks from an interrupted run', report.resumedBlockCount],
  ] as const
  const facts = parts.filter(([, count]) => count > 0).map(([text, count]) => `${text}: ${count}`)
  return [
    `${verb} ledger ${name}: ${blockCount} blocks with ${revisionCount} revisions in ` +
      `${tableCount} tables, strand ${strandId}.${more}`,
    ...(facts.length === 0 ? [] : [`  Of these: ${facts.join('; ')}.`]),
    `  Digest ${toBase64(report.digest)} at block ${blockCount - 1}.`,
    ...notes.map(({ sequenceNo, message }) => `  Note on block ${sequenceNo}: ${message}`),
  ].join('\n')
}

function otherStrand(path: string, ofDigest: string, ofExport: string): CliError {
  return new CliError(
    { code: 'FILE_INVALID', path },
    {
      shortMessage: 'The digest is of another ledger than the export.',
      metaMessages: [`Strand of the digest: ${ofDigest}`, `Strand of the export: ${ofExport}`],
    },
  )
}
