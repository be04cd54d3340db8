/** The driver's own hash of an Ion value, which its declarations hide: the other party to every commit digest. */
import * as hidden from 'amazon-qldb-driver-nodejs/dist/src/QldbHash.js'

export interface DriverHash {
  dot(that: DriverHash): DriverHash
  getQldbHash(): Uint8Array
}

const { QldbHash } = hidden as unknown as {
  readonly QldbHash: {
    new (hash: Uint8Array): DriverHash
    toQldbHash(value: string | Uint8Array): DriverHash
  }
}

/** @param value A text, which is hashed as an Ion string, or an Ion stream of one value. */
export function driverHash(value: string | Uint8Array): DriverHash {
  return QldbHash.toQldbHash(value)
}

/** @param hash 32 bytes. */
export function asDriverHash(hash: Uint8Array): DriverHash {
  return new QldbHash(hash)
}
