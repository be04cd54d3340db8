/**
 * New arrays of more than 64 bytes cut out of shared ones, as Node cuts its Buffers: V8 makes an ArrayBuffer outside of
 * its heap for each that stands alone, 0.7 us and as much again for the collector; a cut takes a tenth of that.
 *
 * A cut keeps 8 KiB in memory as long as it lives. For what is made in numbers and lives as long as its neighbours.
 */

/** Beyond, Node cuts none, and a copy costs more than its ArrayBuffer. */
const cutBytesMax = 2048

/** Zeros. */
export function pooledBytes(size: number): Uint8Array {
  return size > cutBytesMax ? new Uint8Array(size) : cut(size).fill(0)
}

/** Anything may stand in it: for who writes all of it. */
export function pooledBytesUnsafe(size: number): Uint8Array {
  return size > cutBytesMax ? new Uint8Array(size) : cut(size)
}

/** Not a Buffer, whose `slice` is a view where that of a Uint8Array is a copy. */
function cut(size: number): Uint8Array {
  const buffer = Buffer.allocUnsafe(size)
  return new Uint8Array(buffer.buffer, buffer.byteOffset, size)
}
