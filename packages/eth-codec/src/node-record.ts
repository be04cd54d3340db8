/**
 * Node records (ENR, EIP-778) of the identity scheme "v4": what a node tells of itself, signed. Binary and `enr:` text.
 */
import { compareBytes, equalBytes, fromUtf8, utf8 } from '@cairn/core'
import { EnodeError } from './errors.ts'
import { keccak256 } from './keccak256.ts'
import { decodeRlp, encodeRlp, type RlpItem } from './rlp.ts'
import { bytesField, bytesToNumber, listField, numberField, numberToBytes } from './rlp-fields.ts'
import {
  compressPublicKey,
  decompressPublicKey,
  publicKeyOf,
  recoverPublicKey,
  signHash,
} from './secp256k1.ts'

export interface NodeRecord {
  /** Grows with every change of the record. */
  readonly sequence: bigint
  /** Values by key, RLP items; without `id` and `secp256k1`, which follow from the scheme and the key. */
  readonly values: ReadonlyMap<string, RlpItem>
  /** 64 bytes. */
  readonly publicKey: Uint8Array
}

/** EIP-778. */
const recordBytesMax = 300
const signatureBytesSize = 64
const scheme = utf8('v4')

/**
 * Makes and signs a record.
 * @throws EnodeError when it is larger than 300 bytes.
 */
export function encodeNodeRecord(
  record: Omit<NodeRecord, 'publicKey'>,
  privateKey: Uint8Array,
): Uint8Array {
  const values = new Map<string, RlpItem>(record.values)
  values.set('id', scheme)
  values.set('secp256k1', compressPublicKey(publicKeyOf(privateKey)))
  const pairs = [...values]
    .map(([key, value]) => [utf8(key), value] as const)
    .sort(([a], [b]) => compareBytes(a, b))
  const content = [numberToBytes(record.sequence), ...pairs.flat()]
  const { r, s } = signHash(keccak256(encodeRlp(content)), privateKey)
  const bytes = encodeRlp([Uint8Array.from([...r, ...s]), ...content])
  if (bytes.length > recordBytesMax) {
    throw malformed(`it has ${bytes.length} bytes, ${recordBytesMax} are allowed`)
  }
  return bytes
}

/** Reads a record and checks its signature. @throws EnodeError or RlpError. */
export function decodeNodeRecord(bytes: Uint8Array): NodeRecord {
  if (bytes.length > recordBytesMax) throw malformed(`it has ${bytes.length} bytes`)
  const [signature, ...content] = listField(decodeRlp(bytes), 'record')
  const values = pairsOf(content.slice(1))
  const id = values.get('id')
  if (!(id instanceof Uint8Array) || !equalBytes(id, scheme)) {
    throw malformed('its identity scheme is not v4')
  }
  const publicKey = keyOf(values.get('secp256k1'))
  if (!isSignedBy(bytesField(signature, 'signature'), content, publicKey)) {
    throw malformed('its signature is not that of its key')
  }
  values.delete('id')
  values.delete('secp256k1')
  return { sequence: numberField(content[0], 'sequence', 8), values, publicKey }
}

function pairsOf(items: readonly RlpItem[]): Map<string, RlpItem> {
  if (items.length % 2 !== 0) throw malformed('a key has no value')
  const values = new Map<string, RlpItem>()
  let last: Uint8Array | undefined
  for (let i = 0; i < items.length; i += 2) {
    const key = bytesField(items[i], 'key')
    if (last !== undefined && compareBytes(last, key) >= 0) {
      throw malformed('its keys are not in ascending order')
    }
    last = key
    values.set(textOf(key), items[i + 1] as RlpItem)
  }
  return values
}

function textOf(key: Uint8Array): string {
  try {
    return fromUtf8(key)
  } catch (cause) {
    throw malformed('a key is not text', cause)
  }
}

function keyOf(item: RlpItem | undefined): Uint8Array {
  try {
    return decompressPublicKey(bytesField(item, 'secp256k1'))
  } catch (cause) {
    throw malformed('it has no public key', cause)
  }
}

/** The signature has no parity, so that both are tried. */
function isSignedBy(
  signature: Uint8Array,
  content: readonly RlpItem[],
  publicKey: Uint8Array,
): boolean {
  if (signature.length !== signatureBytesSize) return false
  const hash = keccak256(encodeRlp(content))
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)]
  return ([0, 1] as const).some((yParity) => {
    const key = recoverPublicKey(hash, { yParity, r, s })
    return key !== undefined && equalBytes(key, publicKey)
  })
}

/** What distance in the network is measured by, 32 bytes. */
export function nodeIdOf({ publicKey }: Pick<NodeRecord, 'publicKey'>): Uint8Array {
  return keccak256(publicKey)
}

/** A port or the like in a record; undefined when it is not there. @throws RlpError when it is no number. */
export function recordNumber({ values }: NodeRecord, key: string): number | undefined {
  const item = values.get(key)
  return item === undefined ? undefined : Number(bytesToNumber(bytesField(item, key)))
}

export function nodeRecordToText(bytes: Uint8Array): string {
  return `enr:${Buffer.from(bytes).toString('base64url')}`
}

/** @throws EnodeError or RlpError. */
export function nodeRecordFromText(text: string): NodeRecord {
  const encoded = /^enr:([\w-]+)$/.exec(text)?.[1]
  if (encoded === undefined) throw malformed('it is not enr: and base64url without padding')
  return decodeNodeRecord(Uint8Array.from(Buffer.from(encoded, 'base64url')))
}

function malformed(reason: string, cause?: unknown): EnodeError {
  return new EnodeError(
    { code: 'ENODE_MALFORMED', reason },
    { shortMessage: `The node record cannot be read: ${reason}.`, cause },
  )
}
