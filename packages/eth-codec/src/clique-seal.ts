/**
 * The seal of a Clique header (EIP-225): what a sealer signs, and who signed. It stands in the last 65 bytes of the
 * extra data. Which seals are good is decided by the engine in eth-chain.
 */
import { concatBytes } from '@cairn/core'
import { recoverAddress } from './address.ts'
import { type BlockHeader, blockHeaderToRlp } from './block-header.ts'
import { RlpError } from './errors.ts'
import { cliqueSealBytesSize } from './genesis.ts'
import { keccak256 } from './keccak256.ts'
import { encodeRlp } from './rlp.ts'
import { signHash } from './secp256k1.ts'

/**
 * The hash that is signed: the header without its seal.
 * @throws RlpError when the extra data is too short to hold a seal.
 */
export function cliqueSealHash(header: BlockHeader): Uint8Array {
  const { extraData } = header
  if (extraData.length < cliqueSealBytesSize) {
    throw new RlpError(
      { code: 'RLP_FIELD', field: 'extraData', reason: 'no seal' },
      { shortMessage: 'The extra data is too short to hold a seal of 65 bytes.' },
    )
  }
  const unsealed = extraData.subarray(0, extraData.length - cliqueSealBytesSize)
  return keccak256(encodeRlp(blockHeaderToRlp({ ...header, extraData: unsealed })))
}

/**
 * Who sealed the header, 20 bytes; undefined when the seal is no signature.
 * @throws RlpError as {@link cliqueSealHash}.
 */
export function recoverCliqueSigner(header: BlockHeader): Uint8Array | undefined {
  const hash = cliqueSealHash(header)
  const seal = header.extraData.subarray(-cliqueSealBytesSize)
  const v = seal[64] as number
  if (v > 1) return undefined
  return recoverAddress(hash, {
    r: seal.subarray(0, 32),
    s: seal.subarray(32, 64),
    yParity: v as 0 | 1,
  })
}

/** The header with its seal filled in. @throws RlpError as {@link cliqueSealHash}, Secp256k1Error for no key. */
export function sealCliqueHeader(header: BlockHeader, privateKey: Uint8Array): BlockHeader {
  const { r, s, yParity } = signHash(cliqueSealHash(header), privateKey)
  const unsealed = header.extraData.subarray(0, -cliqueSealBytesSize)
  return { ...header, extraData: concatBytes(unsealed, r, s, Uint8Array.of(yParity)) }
}
