/**
 * Ion Hash 1.0 with SHA-256: what QLDB calls the hash of a value, a document or a statement.
 * Spec: qldb-compat 4.1. The serialised form is made in hash-value.ts and hash-binary.ts.
 */
import { valueCountError } from './errors.ts'
import { HashReader } from './hash-binary.ts'
import type { HashSink } from './hash-sink.ts'
import { AnyHashSink } from './hash-sink-any.ts'
import { Sha256Sink } from './hash-sink-sha256.ts'
import { serializeValue } from './hash-value.ts'
import { type IonValue, ionString, ionSymbol } from './value.ts'

// Reused by every call: hashing is synchronous and never re-entered.
const sink = new Sha256Sink()

/**
 * Hash of a value in memory, 32 bytes.
 * @throws IonError SYMBOL_TEXT_UNKNOWN, VALUE_INVALID, LIMIT
 */
export function hashIon(value: IonValue): Uint8Array {
  sink.reset()
  serializeValue(value, sink, 0)
  return sink.digest()
}

/**
 * Hash of the one value in a binary Ion stream, 32 bytes; equal to `hashIon(decodeIon(stream))`.
 * @throws IonError as `decodeIon` and `hashIon`
 */
export function hashIonBytes(stream: Uint8Array): Uint8Array {
  sink.reset()
  serializeStream(stream, sink)
  return sink.digest()
}

/** The hash of a value, and of its elements where it is a list. */
export interface IonHashes {
  readonly hash: Uint8Array
  /** In their order; undefined for what is no list, and for an annotated or null one. */
  readonly elements: readonly Uint8Array[] | undefined
}

/**
 * As `hashIonBytes`, with the hashes of a list's elements, which cost no more than one SHA-256 each on the way.
 * @throws IonError as `hashIonBytes`
 */
export function hashIonElements(stream: Uint8Array): IonHashes {
  sink.reset()
  const reader = new HashReader(stream, sink)
  if (!reader.seekValue()) throw valueCountError(0)
  const elements: Uint8Array[] = []
  const isList = reader.serializeList((start, end) => elements.push(sink.digestOf(start, end)))
  if (!isList) reader.serializeTopLevel()
  if (reader.seekValue()) throw valueCountError(2)
  return { hash: sink.digest(), elements: isList ? elements : undefined }
}

/** Hash of the Ion string `text`, 32 bytes: what a driver sends for a PartiQL statement. */
export function hashIonString(text: string): Uint8Array {
  return hashIon(ionString(text))
}

/**
 * The serialised form of `value`, s(v) in the specification, for `IonHashWriter.form`.
 * @throws IonError as `hashIon`
 */
export function ionHashForm(value: IonValue): Uint8Array {
  sink.reset()
  serializeValue(value, sink, 0)
  return sink.bytes.slice(sink.start, sink.size)
}

/** The form of a field's name, for `IonHashWriter.startField`. @throws IonError VALUE_INVALID */
export function ionHashName(name: string): Uint8Array {
  return ionHashForm(ionSymbol(name))
}

/**
 * The digest of one field, 32 bytes, for `IonHashWriter.fieldDigest`.
 * @param name Its form.
 * @throws IonError as `hashIon`
 */
export function hashIonField(name: Uint8Array, value: IonValue): Uint8Array {
  sink.reset()
  sink.writeBytes(name)
  serializeValue(value, sink, 1)
  return sink.digest()
}

/** A hash function of the caller's choice. It copies `bytes` where it keeps them. */
export type IonHashFunction = (bytes: Uint8Array) => Uint8Array

/** Ion Hash 1.0 of a value with another hash function. The specification leaves that choice to the caller. */
export function hashIonWith(value: IonValue, hash: IonHashFunction): Uint8Array {
  const out = new AnyHashSink(hash)
  serializeValue(value, out, 0)
  return hash(out.bytes.subarray(out.start, out.size))
}

/** As `hashIonWith`, of the one value in a binary Ion stream. */
export function hashIonBytesWith(stream: Uint8Array, hash: IonHashFunction): Uint8Array {
  const out = new AnyHashSink(hash)
  serializeStream(stream, out)
  return hash(out.bytes.subarray(out.start, out.size))
}

function serializeStream(stream: Uint8Array, out: HashSink): void {
  const reader = new HashReader(stream, out)
  if (!reader.seekValue()) throw valueCountError(0)
  reader.serializeTopLevel()
  if (reader.seekValue()) throw valueCountError(2)
}
