/** Where exports go: buckets with objects, local folders or any S3-compatible service. */

export interface PutOptions {
  readonly contentType: string
  readonly encryption: 'NO_ENCRYPTION' | 'SSE_S3' | 'SSE_KMS'
  readonly kmsKeyArn: string | undefined
  /** Gives up what is under way. */
  readonly signal?: AbortSignal
}

export interface ObjectStore {
  hasBucket(bucket: string): Promise<boolean>
  /**
   * Writes or replaces an object, durable when it resolves.
   * @throws ExportError STORE_REFUSED when it makes no sense to try again; anything else is worth another attempt.
   */
  put(bucket: string, key: string, bytes: Uint8Array, options: PutOptions): Promise<void>
}
