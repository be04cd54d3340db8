/**
 * Signatures on the curve secp256k1: sign, recover, Diffie-Hellman. Two back ends give the same answers: libsecp256k1
 * as the prebuilt binary of `secp256k1`, and `@noble/curves` where there is none for the platform. Node only.
 */

import { concatBytes } from '@cairn/core'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { Secp256k1Error } from './errors.ts'

/** An ECDSA signature with what is needed to recover the key. */
export interface Signature {
  /** Whether the y coordinate of the nonce's point is odd. */
  readonly yParity: 0 | 1
  /** 32 bytes. */
  readonly r: Uint8Array
  /** 32 bytes. */
  readonly s: Uint8Array
}

/** Byte lengths are the caller's promise: hashes, private keys, r and s 32, public keys 64 (x and y). */
export interface Secp256k1Backend {
  /** `libsecp256k1 (native)` or `@noble/curves (JavaScript)`; for logs and node information. */
  readonly name: string
  /** Undefined when no key made this signature: r or s zero or beyond the group order, or r no point's x. */
  recoverPublicKey(hash: Uint8Array, signature: Signature): Uint8Array | undefined
  /** Deterministic (RFC 6979) with the lower of both s (EIP-2). */
  sign(hash: Uint8Array, privateKey: Uint8Array): Signature
  publicKeyOf(privateKey: Uint8Array): Uint8Array
  isPrivateKey(bytes: Uint8Array): boolean
  /** 64 bytes of a compressed key of 33; undefined when it is no point of the curve. */
  decompress(compressed: Uint8Array): Uint8Array | undefined
  /** The x coordinate of the shared point, 32 bytes. Undefined when `publicKey` is no point of the curve. */
  sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined
}

const publicKeyBytesSize = 64
const compressedBytesSize = 33
const uncompressedTag = 4

/** The part of `secp256k1` used here; the package comes without types. */
interface NativeBindings {
  privateKeyVerify(privateKey: Uint8Array): boolean
  publicKeyVerify(publicKey: Uint8Array): boolean
  publicKeyConvert(publicKey: Uint8Array, compressed: boolean, output: Uint8Array): Uint8Array
  publicKeyCreate(privateKey: Uint8Array, compressed: boolean, output: Uint8Array): Uint8Array
  ecdsaSign(hash: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array; recid: number }
  ecdsaRecover(
    signature: Uint8Array,
    recid: number,
    hash: Uint8Array,
    compressed: boolean,
    output: Uint8Array,
  ): Uint8Array
  ecdh(
    publicKey: Uint8Array,
    privateKey: Uint8Array,
    options: { hashfn: (x: Uint8Array, y: Uint8Array) => Uint8Array },
    output: Uint8Array,
  ): Uint8Array
}

/** @returns undefined where the package brings no binary for this platform, or it does not load. */
export async function loadNativeBackend(): Promise<Secp256k1Backend | undefined> {
  let native: NativeBindings
  try {
    // Not the package's main file: that falls back to another JavaScript library and does not tell.
    // @ts-expect-error: the package has no types.
    const loaded = (await import('secp256k1/bindings.js')) as { default: NativeBindings }
    native = loaded.default
  } catch {
    return undefined
  }
  // What native code gets is made outside of V8's heap; making these three for each call took 2 us.
  const [message, compact, point] = [32, 64, 65].map((size) => new Uint8Array(size)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  return {
    name: 'libsecp256k1 (native)',
    recoverPublicKey(hash, { r, s, yParity }) {
      message.set(hash)
      compact.set(r)
      compact.set(s, 32)
      try {
        return native.ecdsaRecover(compact, yParity, message, false, point).slice(1)
      } catch {
        return undefined
      }
    },
    sign(hash, privateKey) {
      const { signature, recid } = native.ecdsaSign(hash, privateKey)
      return {
        yParity: (recid & 1) as 0 | 1,
        r: signature.slice(0, 32),
        s: signature.slice(32),
      }
    },
    publicKeyOf(privateKey) {
      return native.publicKeyCreate(privateKey, false, new Uint8Array(65)).subarray(1)
    },
    isPrivateKey(bytes) {
      return bytes.length === 32 && native.privateKeyVerify(bytes)
    },
    decompress(compressed) {
      if (!native.publicKeyVerify(compressed)) return undefined
      return native.publicKeyConvert(compressed, false, new Uint8Array(65)).subarray(1)
    },
    sharedSecret(privateKey, publicKey) {
      const point = uncompressed(publicKey)
      if (!native.publicKeyVerify(point)) return undefined
      return native.ecdh(point, privateKey, { hashfn: (x) => x }, new Uint8Array(32))
    },
  }
}

export function createJavascriptBackend(): Secp256k1Backend {
  const raw = { prehash: false } as const
  return {
    name: '@noble/curves (JavaScript)',
    recoverPublicKey(hash, { r, s, yParity }) {
      try {
        const signature = concatBytes(Uint8Array.of(yParity), r, s)
        const compressed = noble.recoverPublicKey(signature, hash, raw)
        return noble.Point.fromBytes(compressed).toBytes(false).subarray(1)
      } catch {
        return undefined
      }
    },
    sign(hash, privateKey) {
      const signature = noble.sign(hash, privateKey, { ...raw, format: 'recovered' })
      return {
        yParity: ((signature[0] as number) & 1) as 0 | 1,
        r: signature.slice(1, 33),
        s: signature.slice(33),
      }
    },
    publicKeyOf(privateKey) {
      return noble.getPublicKey(privateKey, false).subarray(1)
    },
    isPrivateKey(bytes) {
      return noble.utils.isValidSecretKey(bytes)
    },
    decompress(compressed) {
      try {
        return noble.Point.fromBytes(compressed).toBytes(false).subarray(1)
      } catch {
        return undefined
      }
    },
    sharedSecret(privateKey, publicKey) {
      try {
        return noble.getSharedSecret(privateKey, uncompressed(publicKey), false).slice(1, 33)
      } catch {
        return undefined
      }
    },
  }
}

function uncompressed(publicKey: Uint8Array): Uint8Array {
  const point = new Uint8Array(1 + publicKeyBytesSize)
  point[0] = uncompressedTag
  point.set(publicKey, 1)
  return point
}

const backend: Secp256k1Backend = (await loadNativeBackend()) ?? createJavascriptBackend()

/** Which back end this process uses: the native one recovers some twenty times as many senders in a second. */
export function secp256k1BackendName(): string {
  return backend.name
}

/**
 * @param hash 32 bytes.
 * @returns 64 bytes, x and y; undefined when no key can have made the signature.
 */
export function recoverPublicKey(hash: Uint8Array, signature: Signature): Uint8Array | undefined {
  checkSize('hash', hash, 32)
  checkSize('r', signature.r, 32)
  checkSize('s', signature.s, 32)
  return backend.recoverPublicKey(hash, signature)
}

/**
 * @param hash 32 bytes.
 * @throws Secp256k1Error when the private key is not a number from 1 to the group order less 1.
 */
export function signHash(hash: Uint8Array, privateKey: Uint8Array): Signature {
  checkSize('hash', hash, 32)
  checkPrivateKey(privateKey)
  return backend.sign(hash, privateKey)
}

/** @returns 64 bytes, x and y. @throws Secp256k1Error as {@link signHash}. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  checkPrivateKey(privateKey)
  return backend.publicKeyOf(privateKey)
}

/** Whether these are 32 bytes that make a private key. */
export function isPrivateKey(bytes: Uint8Array): boolean {
  return bytes.length === 32 && backend.isPrivateKey(bytes)
}

/**
 * Diffie-Hellman as RLPx uses it: the x coordinate of the shared point, not hashed.
 * @param publicKey 64 bytes.
 * @throws Secp256k1Error when one of the keys is none.
 */
export function sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  checkPrivateKey(privateKey)
  checkSize('public key', publicKey, publicKeyBytesSize)
  const secret = backend.sharedSecret(privateKey, publicKey)
  if (secret === undefined) throw notOnCurve()
  return secret
}

/** 33 bytes: the parity of y, and x. @param publicKey 64 bytes. */
export function compressPublicKey(publicKey: Uint8Array): Uint8Array {
  checkSize('public key', publicKey, publicKeyBytesSize)
  const compressed = new Uint8Array(compressedBytesSize)
  compressed[0] = 2 + ((publicKey[63] as number) & 1)
  compressed.set(publicKey.subarray(0, 32), 1)
  return compressed
}

/**
 * @param compressed 33 bytes.
 * @returns 64 bytes, x and y.
 * @throws Secp256k1Error when it is no point of the curve.
 */
export function decompressPublicKey(compressed: Uint8Array): Uint8Array {
  checkSize('compressed public key', compressed, compressedBytesSize)
  const publicKey = backend.decompress(compressed)
  if (publicKey === undefined) throw notOnCurve()
  return publicKey
}

function notOnCurve(): Secp256k1Error {
  return new Secp256k1Error(
    { code: 'PUBLIC_KEY_INVALID' },
    { shortMessage: 'The public key is not a point of the curve.' },
  )
}

function checkPrivateKey(privateKey: Uint8Array): void {
  if (isPrivateKey(privateKey)) return
  throw new Secp256k1Error(
    { code: 'PRIVATE_KEY_INVALID' },
    {
      shortMessage: 'The private key is not one of secp256k1.',
      metaMessages: ['It has to be 32 bytes: a number from 1 to the order of the group less 1.'],
    },
  )
}

function checkSize(part: string, bytes: Uint8Array, bytesSize: number): void {
  if (bytes.length === bytesSize) return
  throw new Secp256k1Error(
    { code: 'LENGTH_WRONG', part, bytes: bytes.length, bytesExpected: bytesSize },
    { shortMessage: `The ${part} has ${bytes.length} bytes in place of ${bytesSize}.` },
  )
}
