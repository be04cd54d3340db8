import { toHex, utf8 } from '@cairn/core'
import { describe, expect, it } from 'vitest'
import { addressOfPrivateKey } from './address.ts'
import {
  type BlockHeader,
  blockHash,
  decodeBlockHeader,
  encodeBlockHeader,
} from './block-header.ts'
import { cliqueSealHash, recoverCliqueSigner, sealCliqueHeader } from './clique-seal.ts'
import { keccak256 } from './keccak256.ts'

const zeroHeader: BlockHeader = {
  parentHash: new Uint8Array(32),
  unclesHash: new Uint8Array(32),
  coinbase: new Uint8Array(20),
  stateRoot: new Uint8Array(32),
  transactionsRoot: new Uint8Array(32),
  receiptsRoot: new Uint8Array(32),
  logsBloom: new Uint8Array(256),
  difficulty: 0n,
  number: 0n,
  gasLimit: 0n,
  gasUsed: 0n,
  timestamp: 0n,
  extraData: new Uint8Array(97),
  mixHash: new Uint8Array(32),
  nonce: new Uint8Array(8),
  baseFeePerGas: 0n,
}

describe('cliqueSealHash', () => {
  it('is the hash that geth tests for an empty header', () => {
    // geth 1.13, consensus/clique/clique_test.go, TestSealHash.
    expect(toHex(cliqueSealHash(zeroHeader))).toBe(
      'bd3d1fa43fbc4c5bfcc91b179ec92e2861df3654de60468beb908ff805359e8f',
    )
  })

  it('leaves out the seal and nothing else', () => {
    const hash = toHex(cliqueSealHash(zeroHeader))
    const extraData = zeroHeader.extraData.slice()
    extraData[96] = 1
    expect(toHex(cliqueSealHash({ ...zeroHeader, extraData }))).toBe(hash)
    extraData[31] = 1
    expect(toHex(cliqueSealHash({ ...zeroHeader, extraData }))).not.toBe(hash)
    expect(toHex(cliqueSealHash({ ...zeroHeader, baseFeePerGas: undefined }))).not.toBe(hash)
    expect(() => cliqueSealHash({ ...zeroHeader, extraData: new Uint8Array(64) })).toThrow(/seal/)
  })
})

describe('sealCliqueHeader', () => {
  const privateKey = keccak256(utf8('sealer'))

  it('makes a header whose signer is recovered', () => {
    const sealed = sealCliqueHeader(zeroHeader, privateKey)
    expect(sealed.extraData).toHaveLength(97)
    expect(toHex(recoverCliqueSigner(sealed) ?? zeroHeader.coinbase)).toBe(
      toHex(addressOfPrivateKey(privateKey)),
    )
    expect(toHex(cliqueSealHash(sealed))).toBe(toHex(cliqueSealHash(zeroHeader)))
    expect(toHex(blockHash(sealed))).not.toBe(toHex(blockHash(zeroHeader)))
    expect(decodeBlockHeader(encodeBlockHeader(sealed))).toEqual(sealed)
  })

  it('finds nobody behind a seal that is no signature', () => {
    expect(recoverCliqueSigner(zeroHeader)).toBeUndefined()
    const sealed = sealCliqueHeader(zeroHeader, privateKey)
    const extraData = sealed.extraData.slice()
    extraData[96] = 27
    expect(recoverCliqueSigner({ ...sealed, extraData })).toBeUndefined()
  })
})
