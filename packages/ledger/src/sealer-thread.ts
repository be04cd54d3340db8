/** The sealer's thread: chains of all ledgers of one host, each with its projections. Started by threaded-sealer.ts. */
import { parentPort } from 'node:worker_threads'
import { assert, equalBytes, hashBytesSize } from '@cairn/core'
import { nodeFileSystem } from '@cairn/journal'
import { ByteReader } from './byte-writer.ts'
import { lmdbProjections } from './lmdb-projection.ts'
import { NodeFile } from './node-file.ts'
import type { Projection } from './projection.ts'
import { isCommitFailure } from './projection-failure.ts'
import { type SealedBlock, SealingChain } from './sealer.ts'
import { type FromSealer, sealedHeaderBytesSize, type ToSealer } from './sealer-messages.ts'
import { readUnsealedBlock } from './unsealed-block.ts'

interface Channel {
  readonly chain: SealingChain
  readonly projection: Projection
  readonly nodeFile: NodeFile
  /** Projecting takes turns; sealing goes on meanwhile. */
  projecting: Promise<void>
  cleaning: AbortController
}

const noBytes = new Uint8Array(0)

const channels = new Map<number, Channel>()
const port = parentPort
assert(port !== null, 'this file runs as a worker')
const reply = (message: FromSealer, transfer: ArrayBuffer[] = []) =>
  port.postMessage(message, transfer)

// LMDB rejects the promise of every single put of a failed commit, and the batch that waits for them tells of it.
// Without this the first of them would end the thread, and with it all other ledgers.
process.on('unhandledRejection', (reason) => {
  if (!isCommitFailure(reason)) throw reason
})

port.on('message', (message: ToSealer) => {
  const { channel } = message
  try {
    const isDone = handle(message)
    isDone?.catch((error: unknown) => reply({ kind: 'failed', channel, error }))
  } catch (error) {
    reply({ kind: 'failed', channel, error })
  }
})

function handle(message: ToSealer): Promise<void> | undefined {
  const { channel } = message
  switch (message.kind) {
    case 'open':
      return open(message)
    case 'seal': {
      const { sealedHash } = message
      const sealed = seal(channelOf(channel).chain, message.bytes, message.count)
      if (sealedHash !== undefined) {
        const isSame = equalBytes(sealed.shift()?.blockHash ?? noBytes, sealedHash)
        assert(isSame, 'both threads seal a block alike')
      }
      if (sealed.length === 0) return undefined
      const bytes = encodeSealed(sealed)
      reply({ kind: 'sealed', channel, bytes }, [bytes.buffer])
      return undefined
    }
    case 'project':
      return inTurn(channelOf(channel), async ({ chain }) => {
        const sequenceNo = await chain.project(message.durableCount)
        if (sequenceNo !== undefined) reply({ kind: 'projected', channel, sequenceNo })
      })
    case 'clean':
      return clean(message)
    case 'stopCleaning':
      channelOf(channel).cleaning.abort()
      return undefined
    case 'close':
      return inTurn(channelOf(channel), async ({ chain, projection, nodeFile }) => {
        channels.delete(channel)
        try {
          await chain.finish(message.durableCount)
        } finally {
          await projection.close()
          await nodeFile.close()
        }
        reply({ kind: 'closed', channel })
      })
  }
}

/** A failure is the asker's: sealing and projecting do not depend on it. */
function clean({ channel, supersededNo, finishedNos }: Extract<ToSealer, { kind: 'clean' }>) {
  const cleaning = new AbortController()
  channelOf(channel).cleaning = cleaning
  return inTurn(channelOf(channel), async ({ chain }) => {
    try {
      const isExchanged = await chain.clean(supersededNo, finishedNos, cleaning.signal)
      reply({ kind: 'cleaned', channel, isExchanged })
    } catch (error) {
      reply({ kind: 'notCleaned', channel, error })
    }
  })
}

function channelOf(channel: number): Channel {
  const found = channels.get(channel)
  assert(found !== undefined, 'a channel is opened before it is used')
  return found
}

function inTurn(channel: Channel, task: (channel: Channel) => Promise<void>): Promise<void> {
  const isDone = channel.projecting.then(() => task(channel))
  channel.projecting = isDone.catch(() => undefined)
  return isDone
}

async function open(message: Extract<ToSealer, { kind: 'open' }>): Promise<void> {
  const { channel, strandId, directory, tipHash, size } = message
  const projection = await lmdbProjections.open(`${directory}/projection`, nodeFileSystem)
  const nodeFile = await NodeFile.open(nodeFileSystem, `${directory}/nodes`, size)
  const chain = new SealingChain({ strandId, tipHash, size, projection, nodeFile })
  channels.set(channel, {
    chain,
    projection,
    nodeFile,
    projecting: Promise.resolve(),
    cleaning: new AbortController(),
  })
  reply({ kind: 'opened', channel })
}

function seal(chain: SealingChain, bytes: Uint8Array, count: number): SealedBlock[] {
  const reader = new ByteReader(bytes)
  const sealed: SealedBlock[] = []
  for (let i = 0; i < count; i++) sealed.push(chain.seal(readUnsealedBlock(reader)))
  return sealed
}

function encodeSealed(sealed: readonly SealedBlock[]): Uint8Array<ArrayBuffer> {
  let size = 0
  for (const { body } of sealed) size += sealedHeaderBytesSize + body.length
  const out = new Uint8Array(size)
  const view = new DataView(out.buffer)
  let offset = 0
  for (const { blockHash, entryHash, body } of sealed) {
    out.set(blockHash, offset)
    out.set(entryHash, offset + hashBytesSize)
    view.setUint32(offset + 2 * hashBytesSize, body.length, true)
    out.set(body, offset + sealedHeaderBytesSize)
    offset += sealedHeaderBytesSize + body.length
  }
  return out
}
