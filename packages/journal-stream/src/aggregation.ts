/**
 * Several stream records in one Kinesis record, as the Kinesis Producer Library packs them, so that its consumers take
 * them apart again. Source: kinesis-aggregation, "KPL aggregated record format". Not here: explicit hash keys, tags.
 *
 *   F3 89 9A C2 | protobuf AggregatedRecord { 1: partition keys, 3: Record { 1: index of the key, 3: data } } | MD5
 */
import { createHash } from 'node:crypto'

const magic = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2)
const digestBytesSize = 16
// Field number and wire type: 2 is "length-delimited", 0 a varint.
const partitionKeyTag = (1 << 3) | 2
const recordTag = (3 << 3) | 2
const keyIndexTag = (1 << 3) | 0
const dataTag = (3 << 3) | 2

/** What one record takes within an aggregate, at most: two tags and lengths, and the index of the key. */
export const recordOverheadBytesMax = 16
/** What an aggregate takes beside its records and the partition key. */
export const aggregateOverheadBytesMax: number = magic.length + digestBytesSize + 8

/** All under one partition key, in order. */
export function aggregate(partitionKey: string, records: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [magic]
  const key = Buffer.from(partitionKey)
  parts.push(header(partitionKeyTag, key.length), key)
  for (const data of records) {
    const dataHeader = header(dataTag, data.length)
    const size = 2 + dataHeader.length + data.length
    parts.push(header(recordTag, size), Uint8Array.of(keyIndexTag, 0), dataHeader, data)
  }
  const body = Buffer.concat(parts.slice(1))
  const digest = createHash('md5').update(body).digest()
  return Buffer.concat([magic, body, digest])
}

/** A tag below 128 and a length. */
function header(tag: number, length: number): Uint8Array {
  const bytes = [tag]
  let rest = length
  while (rest > 127) {
    bytes.push((rest & 127) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
