/**
 * Byte strings as keys of JavaScript maps: one character per byte (latin1), which compares like the bytes. A third of
 * what hexadecimal costs, and half its memory.
 */

export function textOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** @returns bytes that the caller may keep. */
export function bytesOfText(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
