/**
 * A stream to an HTTP address, signed. One POST per batch, the next one when it was answered with 2xx:
 *
 *   x-cairn-stream     the stream's ARN
 *   x-cairn-timestamp  seconds since 1970
 *   x-cairn-signature  v1=HMAC-SHA256(secret, timestamp + "." + body), hexadecimal
 *   body               json: {"records":[{"qldbStreamArn":…,"recordType":…,"payload":…}, …]}, Ion down-converted
 *                      ion: binary Ion, one value per record
 *
 * A receiver compares the signature in constant time, and refuses timestamps that are minutes old.
 */
import { createHmac } from 'node:crypto'
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { Clock } from '@cairn/core'
import { formatIonAsJson } from '@cairn/ion'
import { type StreamBatch, type StreamTarget, StreamTargetError } from './stream-target.ts'

export interface WebhookTargetOptions {
  readonly url: string
  readonly secret: string
  readonly format: 'json' | 'ion'
  /** PEM of the authority to trust beside the usual ones. */
  readonly authorityPem: string | undefined
  readonly clock: Clock
}

/** For a receiver to answer. */
const answerMsMax = 30_000
const connectionCountMax = 1

export function createWebhookTarget(options: WebhookTargetOptions): StreamTarget {
  const { url, secret, format, authorityPem, clock } = options
  const isTls = url.startsWith('https:')
  const pool = { keepAlive: true, maxSockets: connectionCountMax }
  const agent = isTls
    ? new HttpsAgent({ ...pool, ...(authorityPem === undefined ? {} : { ca: authorityPem }) })
    : new HttpAgent(pool)
  return {
    async deliver(batch, signal) {
      const body = format === 'json' ? jsonBody(batch) : ionBody(batch)
      const timestamp = String(Math.floor(clock.nowMs() / 1000))
      const headers = {
        'content-type': format === 'json' ? 'application/json' : 'application/x-amzn-ion',
        'content-length': String(body.length),
        'x-cairn-stream': batch.streamArn,
        'x-cairn-timestamp': timestamp,
        'x-cairn-signature': `v1=${webhookSignature(secret, timestamp, body)}`,
      }
      const start = isTls ? requestHttps : requestHttp
      const status = await new Promise<number>((resolve, reject) => {
        const settings = { method: 'POST', headers, agent, signal, timeout: answerMsMax }
        const outgoing = start(url, settings, (incoming: IncomingMessage) => {
          incoming.on('error', reject)
          incoming.on('end', () => resolve(incoming.statusCode ?? 0))
          incoming.resume()
        })
        outgoing.on('timeout', () => outgoing.destroy(new Error('The receiver does not answer.')))
        outgoing.on('error', reject)
        outgoing.end(body)
      }).catch((cause: unknown) => {
        throw new StreamTargetError('The webhook could not be reached.', undefined, cause)
      })
      if (status >= 200 && status < 300) return
      const errorCause = status === 404 || status === 410 ? 'KINESIS_STREAM_NOT_FOUND' : undefined
      const isForbidden = status === 401 || status === 403
      throw new StreamTargetError(
        `The webhook answered ${status}.`,
        isForbidden ? 'IAM_PERMISSION_REVOKED' : errorCause,
      )
    },
    close: () => agent.destroy(),
  }
}

/** Hexadecimal. What a receiver computes over the bytes it got. */
export function webhookSignature(secret: string, timestamp: string, body: Uint8Array): string {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex')
}

function jsonBody({ records }: StreamBatch): Uint8Array {
  const texts = records.map(({ value }) => formatIonAsJson(value))
  return Buffer.from(`{"records":[${texts.join(',\n')}]}`)
}

function ionBody({ records }: StreamBatch): Uint8Array {
  return Buffer.concat(records.map(({ ion }) => ion))
}
