/**
 * Small byte arrays side by side in large ones. On Node a `Uint8Array` of its own costs 0.5 µs and a place in the
 * collector's list of buffers; a view into a slab costs a fifth of that. A slab lives as long as one of its arrays.
 */

const slabBytesSize = 64 * 1024
/** Larger arrays get a buffer of their own, so that slabs are neither half empty nor held by one of their guests. */
const sharedBytesMax = slabBytesSize / 16

export class SlabAllocator {
  #slab = new ArrayBuffer(0)
  #used = 0

  /** `size` bytes, zero; the caller may keep and change them, but not transfer their buffer. */
  allocate(size: number): Uint8Array {
    if (size > sharedBytesMax) return new Uint8Array(size)
    if (this.#used + size > this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(slabBytesSize)
      this.#used = 0
    }
    const bytes = new Uint8Array(this.#slab, this.#used, size)
    this.#used += size
    return bytes
  }
}
