/** Four SHA-256 at a time against one at a time. */
import { describe, expect, it } from 'vitest'
import { toHex } from './bytes.ts'
import { sha256 } from './sha256.ts'
import { blockBytesSize, createSha256Lanes, laneCount, lanesDataStart } from './sha256-lanes.ts'

const lanes = createSha256Lanes(64 * 1024)

/** Lays messages of these sizes into the lanes and gives each lane's digest beside the expected one. */
function hashAll(sizes: readonly number[]): [string, string][] {
  if (lanes === undefined) throw new TypeError('no lanes')
  const expected: string[] = []
  let at = lanesDataStart + 3
  let blockCountMax = 0
  for (const [lane, size] of sizes.entries()) {
    const blockCount = Math.ceil((size + 9) / blockBytesSize)
    const end = at + blockCount * blockBytesSize
    for (let i = 0; i < size; i++) lanes.bytes[at + i] = (31 * i + 7 * lane + size) & 255
    expected.push(toHex(sha256(lanes.bytes.slice(at, at + size))))
    lanes.bytes[at + size] = 0x80
    lanes.bytes.fill(0, at + size + 1, end)
    new DataView(lanes.bytes.buffer).setUint32(end - 4, 8 * size)
    lanes.arguments[lanes.pointerIndex + lane] = at
    lanes.arguments[lanes.countIndex + lane] = blockCount
    blockCountMax = Math.max(blockCountMax, blockCount)
    at = end + 1
  }
  lanes.run(blockCountMax)
  const { words, stateIndex } = lanes
  return expected.map((digest, lane) => {
    let hex = ''
    for (let word = 0; word < 8; word++) {
      const value = words[stateIndex + laneCount * word + lane] as number
      hex += value.toString(16).padStart(8, '0')
    }
    return [hex, digest]
  })
}

describe('sha256 lanes', () => {
  it('hash messages of every length around block ends', () => {
    for (let size = 0; size < 400; size++) {
      for (const [digest, expected] of hashAll([size, size, size, size])) {
        expect(digest).toBe(expected)
      }
    }
  })

  it('hash messages of unequal length together, each lane on its own', () => {
    for (let round = 0; round < 200; round++) {
      const sizes = [round % 55, (7 * round) % 300, (13 * round) % 120, (29 * round) % 1000]
      for (const [digest, expected] of hashAll(sizes)) expect(digest).toBe(expected)
    }
  })
})
