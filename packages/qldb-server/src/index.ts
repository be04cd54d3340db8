/** `@cairn/qldb-server`: the QLDB session and control APIs over a ledger host. */

export { type Authorizer, allowAll, type Identity } from '@cairn/aws-protocol'
export { QldbServerError, type QldbServerErrorType } from './errors.ts'
export { type ExportJobs, type ExportJobsOptions, openExportJobs } from './exports/export-jobs.ts'
export { defaultQldbServerLimits, httpLimitsOf, type QldbServerLimits } from './limits.ts'
export {
  type AuthenticationMode,
  createQldbServer,
  type QldbServer,
  type QldbServerOptions,
} from './server.ts'
export { openStreamJobs, type StreamJobs, type StreamJobsOptions } from './streams/stream-jobs.ts'
