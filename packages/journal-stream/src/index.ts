/** `@cairn/journal-stream`: journal streams as QLDB has them: records, delivery in order, Kinesis and webhooks. */

export {
  createKinesisTarget,
  type KinesisConnection,
  type KinesisTargetOptions,
} from './kinesis-target.ts'
export {
  controlRecord,
  type RecordType,
  recordsOfBlock,
  type StreamRecord,
} from './stream-records.ts'
export {
  type RunStreamOptions,
  runStream,
  type StreamPosition,
  type StreamSource,
} from './stream-runner.ts'
export {
  type StreamBatch,
  type StreamErrorCause,
  type StreamTarget,
  StreamTargetError,
} from './stream-target.ts'
export {
  createWebhookTarget,
  type WebhookTargetOptions,
  webhookSignature,
} from './webhook-target.ts'
