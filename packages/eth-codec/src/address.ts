/** Addresses: from keys, of new contracts, and their spelling with a checksum (EIP-55). */
import { concatBytes, equalBytes } from '@cairn/core'
import { AddressError } from './errors.ts'
import { dataToHex, looseDataFromHex } from './hex.ts'
import { keccak256 } from './keccak256.ts'
import { encodeRlp } from './rlp.ts'
import { numberToBytes } from './rlp-fields.ts'
import { publicKeyOf, recoverPublicKey, type Signature } from './secp256k1.ts'

export const addressBytesSize = 20

/** @param publicKey 64 bytes. @returns 20 bytes. */
export function addressOfPublicKey(publicKey: Uint8Array): Uint8Array {
  return keccak256(publicKey).slice(12)
}

/** @throws Secp256k1Error when the private key is none. */
export function addressOfPrivateKey(privateKey: Uint8Array): Uint8Array {
  return addressOfPublicKey(publicKeyOf(privateKey))
}

/** Whose key signed the hash of 32 bytes; undefined when nobody's can have. */
export function recoverAddress(hash: Uint8Array, signature: Signature): Uint8Array | undefined {
  const publicKey = recoverPublicKey(hash, signature)
  return publicKey === undefined ? undefined : addressOfPublicKey(publicKey)
}

/** Where CREATE puts a contract. @param nonce The creator's, before the creation. */
export function contractAddress(creator: Uint8Array, nonce: bigint): Uint8Array {
  return keccak256(encodeRlp([creator, numberToBytes(nonce)])).slice(12)
}

/** Where CREATE2 puts a contract (EIP-1014). @param salt 32 bytes. */
export function contractAddress2(
  creator: Uint8Array,
  salt: Uint8Array,
  initCodeHash: Uint8Array,
): Uint8Array {
  return keccak256(concatBytes(Uint8Array.of(0xff), creator, salt, initCodeHash)).slice(12)
}

/** With the checksum of EIP-55 in the case of its letters. @param address 20 bytes. */
export function addressToText(address: Uint8Array): string {
  const digits = dataToHex(address).slice(2)
  const hash = keccak256(new TextEncoder().encode(digits))
  let text = '0x'
  for (let i = 0; i < digits.length; i++) {
    const nibble = ((hash[i >> 1] as number) >> (i % 2 === 0 ? 4 : 0)) & 15
    const digit = digits.charAt(i)
    text += nibble >= 8 ? digit.toUpperCase() : digit
  }
  return text
}

/**
 * Reads an address with or without `0x`: all in one case, or in mixed case with a checksum that has to be right.
 * @throws AddressError when it is no address or its checksum is wrong, which is what a typing mistake looks like.
 */
export function addressFromText(text: string): Uint8Array {
  const digits = /^(?:0x)?([0-9a-f]{40})$/i.exec(text)?.[1]
  if (digits === undefined) {
    throw new AddressError(
      { code: 'ADDRESS_MALFORMED' },
      { shortMessage: 'The text is not an address: 40 hexadecimal digits, with or without 0x.' },
    )
  }
  const address = looseDataFromHex(digits, addressBytesSize)
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase()
  if (isMixed && addressToText(address) !== `0x${digits}`) {
    throw new AddressError(
      { code: 'ADDRESS_CHECKSUM', address: `0x${digits}` },
      {
        shortMessage: 'The checksum of the address is wrong.',
        metaMessages: [
          `Address: 0x${digits}`,
          'Check it for a typing mistake; written all in lower case it is taken as it stands.',
        ],
      },
    )
  }
  return address
}

const zeroAddressBytes = new Uint8Array(addressBytesSize)

export function isZeroAddress(address: Uint8Array): boolean {
  return equalBytes(address, zeroAddressBytes)
}
