/**
 * Messages that people sign (EIP-191, version 0x45): `personal_sign`, `eth_sign`, `personal_ecRecover`. The prefix
 * keeps such a signature from ever being that of a transaction. Typed data (EIP-712): typed-data.ts.
 */
import { concatBytes, utf8 } from '@cairn/core'
import { recoverAddress } from './address.ts'
import { keccak256 } from './keccak256.ts'
import { signHash } from './secp256k1.ts'

const signatureBytesSize = 65

/** The hash that is signed, 32 bytes. */
export function messageHash(message: Uint8Array): Uint8Array {
  return keccak256(concatBytes(utf8(`\x19Ethereum Signed Message:\n${message.length}`), message))
}

/** r, s and v of 27 or 28: 65 bytes. @throws Secp256k1Error when the private key is none. */
export function signMessage(message: Uint8Array, privateKey: Uint8Array): Uint8Array {
  const { r, s, yParity } = signHash(messageHash(message), privateKey)
  return concatBytes(r, s, Uint8Array.of(27 + yParity))
}

/** Who signed, 20 bytes; undefined when it is no signature of 65 bytes with a v of 27, 28, 0 or 1. */
export function recoverMessageSigner(
  message: Uint8Array,
  signature: Uint8Array,
): Uint8Array | undefined {
  if (signature.length !== signatureBytesSize) return undefined
  const v = signature[64] as number
  const yParity = v >= 27 ? v - 27 : v
  if (yParity !== 0 && yParity !== 1) return undefined
  const [r, s] = [signature.slice(0, 32), signature.slice(32, 64)]
  return recoverAddress(messageHash(message), { r, s, yParity })
}
