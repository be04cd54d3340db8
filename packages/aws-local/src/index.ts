/** `@cairn/aws-local`: the little of S3, STS and IAM that applications of QLDB call beside it. Node only. */

export { type AwsLocal, type AwsLocalOptions, openAwsLocal } from './aws-local.ts'
export { BucketStore, type BucketStoreOptions } from './bucket-store.ts'
export { AwsLocalError, type AwsLocalErrorType } from './errors.ts'
