/**
 * What a ledger of many blocks spends on a digest and on the proof of one revision, in process. The ledger is built
 * once, a transaction per block, and every proof asked for is of another block.
 */
import { join } from 'node:path'
import { equalBytes } from '@cairn/core'
import { decodeIon, encodeIon, fieldOf, type IonValue } from '@cairn/ion'
import { type BlockAddress, type EmbeddedLedger, type Ledger, openLedger } from '@cairn/ledger'
import { foldProof } from '@cairn/merkle'
import { machineFacts } from './machine.ts'
import { figure, range, type SuiteResult } from './report.ts'
import { loop, runRounds } from './rounds.ts'
import type { SuiteContext } from './suite.ts'
import { measured } from './tables.ts'
import { vehicleIon } from './vehicle.ts'

const inFlightCount = 256
/** Different documents; more would only be more of the same. */
const vehicleCount = 1000
/** Revisions whose proofs are asked for: far more than the ledger keeps blocks decoded. */
const sampleCountMax = 10_000
/** Proofs checked before the clock runs. */
const checkedCount = 100

interface Sample {
  readonly address: BlockAddress
  readonly documentId: string
}

export async function proofsSuite(context: SuiteContext): Promise<SuiteResult> {
  const { directory, durationMs, progress, roundCount } = context
  const blockCount = context.scale.blockCount
  const machine = machineFacts(directory)
  const embedded = await openLedger({ directory: join(directory, 'ledger') })
  context.defer(() => embedded.close())
  const startMs = performance.now()
  const samples = await buildLedger(embedded, blockCount, progress)
  const buildSeconds = Math.round((performance.now() - startMs) / 1000)

  const { ledger } = embedded
  const tip = ledger.digest().tipAddress
  const checked = samples.slice(0, checkedCount)
  const proofLength = Math.max(...checked.map((sample) => checkProof(ledger, sample)))
  let turn = 0
  const next = (): Sample => samples[turn++ % samples.length] as Sample
  const contestants = [
    loop('digest', durationMs, () => ledger.digest()),
    loop('revision with its proof', durationMs, () => {
      const { address, documentId } = next()
      return ledger.revision(address, documentId, tip)
    }),
    loop('block with its proof', durationMs, () => ledger.block(next().address, tip)),
  ]
  const measurements = await runRounds(contestants, roundCount, progress)
  const cpuMs = (name: string): number =>
    (measured(measurements, name).cpuUsPerOperation?.median ?? Number.NaN) / 1000
  const bars = { bar: 1, stretch: 0.2, better: 'less', unit: 'ms' } as const
  const ofBlocks = `of ${blockCount.toLocaleString('en-US')} blocks`
  return {
    name: 'proofs',
    title: `Proofs in a ledger ${ofBlocks}: CPU time per call`,
    machine,
    settings: {
      blocks: tip.sequenceNo + 1,
      'seconds to build it': buildSeconds,
      'different revisions': samples.length,
      'hashes of a proof': proofLength,
      rounds: roundCount,
      'seconds per turn': durationMs / 1000,
    },
    tables: [
      {
        columns: ['', 'CPU ms', 'min – max ms'],
        rows: measurements.map(({ name, cpuUsPerOperation: cpu }) => {
          if (cpu === undefined) throw new Error('no CPU time')
          const inMs = { ...cpu, min: cpu.min / 1000, max: cpu.max / 1000 }
          return [name, figure(cpu.median / 1000), range(inMs)]
        }),
      },
    ],
    bars: [
      {
        text: `proof for one revision, ledger ${ofBlocks}`,
        value: cpuMs('revision with its proof'),
        ...bars,
      },
      { text: `digest, ledger ${ofBlocks}`, value: cpuMs('digest'), ...bars },
    ],
    measurements,
  }
}

/** One document inserted per block. @returns Where some of the revisions are. */
async function buildLedger(
  { ledger, transact }: EmbeddedLedger,
  blockCount: number,
  progress: (text: string) => void,
): Promise<readonly Sample[]> {
  await transact((transaction) => transaction.execute('CREATE TABLE Vehicle'))
  const vehicles = Array.from({ length: vehicleCount }, (_, no) => encodeIon(vehicleIon(no + 1)))
  const samples: Sample[] = []
  const stride = Math.max(1, Math.floor(blockCount / sampleCountMax))
  let count = 0
  const work = async (): Promise<void> => {
    while (count < blockCount) {
      const no = count++
      if (no % 100_000 === 0) progress(`building the ledger: ${no} of ${blockCount} blocks`)
      const transaction = ledger.startTransaction()
      const parameters = [vehicles[no % vehicleCount] as Uint8Array]
      const result = await transaction.execute('INSERT INTO Vehicle ?', parameters)
      const { blockAddress } = await transaction.commit()
      if (no % stride !== 0 || blockAddress === undefined) continue
      const { values } = await result.nextPage(1, 1024)
      samples.push({ address: blockAddress, documentId: documentIdOf(values[0]) })
    }
  }
  await Promise.all(Array.from({ length: inFlightCount }, work))
  // By the random part of their ids: neighbours in the ledger are not neighbours here.
  const randomPart = ({ documentId }: Sample): string => documentId.slice(-8)
  return samples.toSorted((a, b) => (randomPart(a) < randomPart(b) ? -1 : 1))
}

function documentIdOf(row: Uint8Array | undefined): string {
  return textOf(row === undefined ? undefined : decodeIon(row), 'documentId')
}

function textOf(value: IonValue | undefined, name: string): string {
  const field = value?.type === 'struct' ? fieldOf(value, name) : undefined
  if (field?.type !== 'string') throw new Error(`The row has no ${name}.`)
  return field.value
}

/** A figure for a wrong proof would be worth nothing. @returns Hashes of the proof. */
function checkProof(ledger: Ledger, { address, documentId }: Sample): number {
  const { digest, tipAddress } = ledger.digest()
  const { value, proof } = ledger.revision(address, documentId, tipAddress)
  const hash = value.type === 'struct' ? fieldOf(value, 'hash') : undefined
  const isProven =
    hash?.type === 'blob' && proof !== undefined && equalBytes(foldProof(hash.value, proof), digest)
  if (!isProven) throw new Error(`The proof of block ${address.sequenceNo} does not hold.`)
  return proof.length
}
