/**
 * Keeps the heap of long work small. The program runs with room for 128 MiB of young objects, which a server's many
 * transactions under way are faster with; work that goes through a ledger block by block leaves garbage only, and would
 * fill that room twice before anything is collected.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Calls between two looks at the heap, each of some microseconds. */
const callsPerLook = 32
/** New objects at which the young ones are collected: as often as Node does it by itself, without our flags. */
const grownBytesMax = 24 * 1024 * 1024
/** All objects at which everything is collected. */
const heapBytesMax = 160 * 1024 * 1024

type Collect = (options: { readonly type: 'minor' | 'major' }) => void

/** To be called for each step of the work, such as a block. */
export function createHeapKeeper(): () => void {
  // The collector has no other way in; the flag is for contexts made from here on.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  let calls = 0
  let base = getHeapStatistics().used_heap_size
  return () => {
    if (calls++ % callsPerLook !== 0) return
    const used = getHeapStatistics().used_heap_size
    if (used - base < grownBytesMax) return
    collect({ type: used > heapBytesMax ? 'major' : 'minor' })
    base = getHeapStatistics().used_heap_size
  }
}
