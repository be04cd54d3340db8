/** Memory after a garbage collection. The collector is reached without a flag of the program. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Heap and bytes outside of it that live objects hold. */
export function heapBytesAfterCollection(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
