/** Makes a failing input smaller: leaves out halves, quarters, … single bytes, as long as it still fails alike. */

const attemptCountMax = 2000
const msMax = 5000

export async function minimize(
  input: Uint8Array,
  stillFails: (candidate: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  const startMs = performance.now()
  let smallest = input
  let attemptCount = 0
  for (let size = input.length >> 1; size >= 1; size >>= 1) {
    for (let start = 0; start < smallest.length; ) {
      if (++attemptCount > attemptCountMax || performance.now() - startMs > msMax) return smallest
      const candidate = without(smallest, start, start + size)
      if (await stillFails(candidate)) smallest = candidate
      else start += size
    }
  }
  return smallest
}

function without(input: Uint8Array, start: number, end: number): Uint8Array {
  const rest = input.subarray(Math.min(end, input.length))
  const out = new Uint8Array(start + rest.length)
  out.set(input.subarray(0, start))
  out.set(rest, start)
  return out
}
