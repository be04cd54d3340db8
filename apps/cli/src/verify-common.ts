/** What the verify commands share: digests from a server or a file, Ion answers as typed records, how a check ends. */
import { readFile } from 'node:fs/promises'
import { fromBase64, hashBytesSize, utf8 } from '@cairn/core'
import { parseIon } from '@cairn/ion'
import { nodeFileSystem } from '@cairn/journal'
import {
  type Block,
  type BlockAddress,
  parseBlock,
  parseBlockAddress,
  parseProof,
  VerificationError,
} from '@cairn/verifier'
import {
  type CommandContext,
  endpointOptions,
  exitDone,
  exitFailed,
  jsonOption,
  type OptionSpec,
} from './command.ts'
import { type ControlClient, createControlClient, type DigestAnswer } from './control-client.ts'
import { openHttpClient } from './endpoint.ts'
import { CliError, describeError, usageError } from './errors.ts'
import { createFolderSource } from './folder-source.ts'
import { print } from './terminal.ts'

/** A digest with the last block that it covers. */
export interface KnownDigest {
  readonly digest: Uint8Array
  readonly tip: BlockAddress
  /** As the server or the file has them. */
  readonly answer: DigestAnswer
  /** For messages: where it comes from. */
  readonly source: string
}

/** What a check found: for people a line, for programs an object. */
export interface Verified {
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
}

export const digestOption: OptionSpec = {
  name: 'digest',
  value: 'FILE',
  help: 'check against this saved digest, not a fresh one',
}
export const dataDirOption: OptionSpec = {
  name: 'data-dir',
  value: 'DIR',
  help: 'check the files of this data folder, every byte, without a server',
}
export const verifyOptions: readonly OptionSpec[] = [
  digestOption,
  { ...dataDirOption, help: 'read from this data folder, without a server' },
  ...endpointOptions,
  jsonOption,
]
export const ledgerPositional = { name: 'LEDGER', help: 'name of the ledger' }

/** Where digests, blocks and revisions come from: a server, or the files of a data folder. */
export type ProofSource = Pick<ControlClient, 'getDigest' | 'getBlock' | 'getRevision'>

/** Runs `check` with a source and tells how it ended; what does not verify ends with exit code 1. */
export async function runCheck(
  context: CommandContext,
  check: (control: ProofSource) => Promise<Verified>,
): Promise<number> {
  const directory = context.args.text('data-dir')
  if (directory === undefined) return runServerCheck(context, check)
  return reportCheck(context, () => check(createFolderSource(directory)))
}

/** Runs `check` with a client of the server. */
export async function runServerCheck(
  context: CommandContext,
  check: (control: ControlClient) => Promise<Verified>,
): Promise<number> {
  const http = await openHttpClient(context)
  try {
    return await reportCheck(context, () => check(createControlClient(http)))
  } finally {
    http.close()
  }
}

export async function reportCheck(
  { args, terminal }: CommandContext,
  check: () => Promise<Verified>,
): Promise<number> {
  const isJson = args.flag('json')
  try {
    const { text, json } = await check()
    print(terminal, isJson ? JSON.stringify({ isVerified: true, ...json }) : `Verified: ${text}`)
    return exitDone
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    const { code, message } = error
    print(
      terminal,
      isJson
        ? JSON.stringify({ isVerified: false, code, message })
        : `NOT VERIFIED (${code})\n${describeError(error)}`,
    )
    return exitFailed
  }
}

/** The digest of `--digest FILE`, else that of this moment. */
export async function chooseDigest(
  { args }: CommandContext,
  control: ProofSource,
  ledgerName: string,
): Promise<KnownDigest> {
  const path = args.text('digest')
  if (path !== undefined) return readDigestFile(path)
  const isFolder = args.text('data-dir') !== undefined
  return fetchDigest(control, ledgerName, isFolder ? 'the digest of the folder' : undefined)
}

export async function fetchDigest(
  control: ProofSource,
  ledgerName: string,
  source = 'the digest of the server',
): Promise<KnownDigest> {
  return toKnownDigest(await control.getDigest(ledgerName), source)
}

/** The form that `aws qldb get-digest` prints, so that digests saved with it can be used. */
export async function writeDigestFile(path: string, answer: DigestAnswer): Promise<void> {
  const content = {
    Digest: answer.digest,
    DigestTipAddress: { IonText: answer.tipAddressText },
  }
  // A digest that was kept is evidence; it is not overwritten, and no half of one is ever in the way.
  if (await nodeFileSystem.exists(path)) {
    throw new CliError(
      { code: 'FILE_INVALID', path },
      {
        shortMessage: `${path} exists already.`,
        metaMessages: ['Choose another name; an old digest is evidence and is not overwritten.'],
      },
    )
  }
  await nodeFileSystem.writeFileAtomic(path, utf8(`${JSON.stringify(content, undefined, 2)}\n`))
}

/** @throws CliError FILE_INVALID */
export async function readDigestFile(path: string): Promise<KnownDigest> {
  try {
    const content = JSON.parse(await readFile(path, 'utf8')) as {
      readonly Digest: string
      readonly DigestTipAddress: { readonly IonText: string }
    }
    const answer = {
      digest: content.Digest,
      tipAddressText: content.DigestTipAddress.IonText,
    }
    return toKnownDigest(answer, `the digest in ${path}`)
  } catch (cause) {
    throw new CliError(
      { code: 'FILE_INVALID', path },
      {
        shortMessage: 'The digest file cannot be used.',
        metaMessages: [
          `File: ${path}`,
          'Make one with: cairn verify digest --save FILE LEDGER, or aws qldb get-digest.',
        ],
        cause,
      },
    )
  }
}

function toKnownDigest(answer: DigestAnswer, source: string): KnownDigest {
  const digest = fromBase64(answer.digest)
  if (digest.length !== hashBytesSize) throw new TypeError('a digest has 32 bytes')
  return { digest, tip: parseBlockAddress(parseIon(answer.tipAddressText)), answer, source }
}

/** The address of a block in the ledger that `tip` belongs to. */
export function addressText(
  { strandId }: Pick<BlockAddress, 'strandId'>,
  sequenceNo: number,
): string {
  return `{strandId:"${strandId}",sequenceNo:${sequenceNo}}`
}

export function parseSequenceNo(command: string, text: string): number {
  const sequenceNo = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(sequenceNo)) return sequenceNo
  throw usageError(command, `"${text}" is not the number of a block.`, 'Blocks count from 0.')
}

export interface FetchedBlock {
  readonly block: Block
  readonly proof: readonly Uint8Array[]
}

/** A block that claims to be the one asked for, and its proof; neither is checked. */
export async function fetchBlock(
  control: ProofSource,
  ledgerName: string,
  sequenceNo: number,
  known: KnownDigest,
): Promise<FetchedBlock> {
  const { valueText, proofText } = await control.getBlock(
    ledgerName,
    addressText(known.tip, sequenceNo),
    known.answer.tipAddressText,
  )
  const block = parseBlock(parseIon(valueText))
  checkAddress(block.blockAddress, known.tip.strandId, sequenceNo)
  return { block, proof: proofText === undefined ? [] : parseProof(parseIon(proofText)) }
}

/** A true block of another place would verify, too; it must be the one that was asked for. */
export function checkAddress(stated: BlockAddress, strandId: string, sequenceNo: number): void {
  if (stated.strandId !== strandId) {
    throw new VerificationError(
      { code: 'STRAND_MISMATCH', blockAddress: stated, expected: strandId },
      { shortMessage: `The block given is of strand ${stated.strandId}, not ${strandId}.` },
    )
  }
  if (stated.sequenceNo !== sequenceNo) {
    throw new VerificationError(
      { code: 'SEQUENCE_MISMATCH', blockAddress: stated, expected: sequenceNo },
      { shortMessage: `The block given is ${stated.sequenceNo}, not ${sequenceNo}.` },
    )
  }
}
