/** Precompile 1: the address whose key signed a hash, left-padded to a word; nothing when there is none. */
import { keccak256, recoverPublicKey } from '@cairn/eth-codec'

const noBytes = new Uint8Array(0)

/** Input: hash, v (27 or 28), r, s, each a word; what is missing is zero, what is more is ignored. */
export function recoverAddress(input: Uint8Array): Uint8Array {
  const words = new Uint8Array(128)
  words.set(input.subarray(0, 128))
  const v = words[63] as number
  for (let i = 32; i < 63; i++) if (words[i] !== 0) return noBytes
  if (v !== 27 && v !== 28) return noBytes
  const key = recoverPublicKey(words.slice(0, 32), {
    yParity: v === 27 ? 0 : 1,
    r: words.slice(64, 96),
    s: words.slice(96, 128),
  })
  if (key === undefined) return noBytes
  const output = keccak256(key)
  output.fill(0, 0, 12)
  return output
}
