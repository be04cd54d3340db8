/** Digests, blocks and revisions of a data folder in the form of a server's answers, so that one check serves both. */
import { toBase64 } from '@cairn/core'
import { formatIon, ionBlob, ionList, parseIon } from '@cairn/ion'
import { type LedgerFolder, openLedgerFolder } from '@cairn/ledger'
import { parseBlockAddress } from '@cairn/verifier'
import type { ProvenAnswer } from './control-client.ts'
import type { ProofSource } from './verify-common.ts'

export function createFolderSource(directory: string): ProofSource {
  const open = (name: string) => openLedgerFolder(directory, name)
  return {
    async getDigest(name) {
      const { digest, tipAddress } = await (await open(name)).digest()
      const { strandId, sequenceNo } = tipAddress
      return {
        digest: toBase64(digest),
        tipAddressText: `{strandId:"${strandId}",sequenceNo:${sequenceNo}}`,
      }
    },
    async getBlock(name, addressText, tipText) {
      const folder = await open(name)
      return toAnswer(await folder.block(addressOf(addressText), await tipOf(folder, tipText)))
    },
    async getRevision(name, addressText, documentId, tipText) {
      const folder = await open(name)
      const tip = await tipOf(folder, tipText)
      return toAnswer(await folder.revision(addressOf(addressText), documentId, tip))
    },
  }
}

function addressOf(text: string): ReturnType<typeof parseBlockAddress> {
  return parseBlockAddress(parseIon(text))
}

async function tipOf(
  folder: LedgerFolder,
  text: string | undefined,
): Promise<ReturnType<typeof parseBlockAddress>> {
  return text === undefined ? (await folder.digest()).tipAddress : addressOf(text)
}

function toAnswer({ value, proof }: Awaited<ReturnType<LedgerFolder['block']>>): ProvenAnswer {
  const hashes = (proof ?? []).map((hash) => ionBlob(hash))
  return { valueText: formatIon(value), proofText: formatIon(ionList(hashes)) }
}
