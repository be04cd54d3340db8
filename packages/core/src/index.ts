/** `@cairn/core`: what every floor stands on. Browser-safe: nothing here imports from `node:`. */

export { AssertionError, assert, unreachable } from './assert.ts'
export {
  compareBytes,
  concatBytes,
  emptyBytes,
  equalBytes,
  fromBase64,
  fromHex,
  fromUtf8,
  toBase64,
  toHex,
  utf8,
} from './bytes.ts'
export { type Clock, createSystemClock } from './clock.ts'
export { BaseError, type ErrorDetails } from './errors.ts'
export {
  type FileSystem,
  isFolderUnbegun,
  noRoom,
  type OpenFile,
  type OpenMode,
  removeTemporaries,
  requireRoom,
} from './file-system.ts'
export {
  createIdSource,
  type IdSource,
  idBytesSize,
  idFromBytes,
  idTextLength,
  idToBytes,
  writeIdBytes,
} from './ids.ts'
export { type Logger, type LogLevel, silentLogger } from './logger.ts'
export {
  type Counter,
  type Histogram,
  latencyBounds,
  type MetricLabels,
  type Metrics,
  type MetricsScope,
  noMetrics,
} from './metrics.ts'
export { type Random, systemRandom } from './random.ts'
export { hashBytesSize, sha256, sha256Into, sha256Latin1 } from './sha256.ts'
export {
  blockBytesSize,
  createSha256Lanes,
  laneCount,
  lanesDataStart,
  type Sha256Lanes,
} from './sha256-lanes.ts'
export { SlabAllocator } from './slab.ts'
export type { Span, Tracer } from './tracer.ts'
