/**
 * TransactionTests of ethereum/tests under every fork they name: whether a transaction is one, its hash, sender and
 * intrinsic gas. Which of several reasons it is refused for is left open, as the suite itself does.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  checkTransaction,
  dataFromHex,
  dataToHex,
  decodeTransaction,
  type ForkName,
  intrinsicGas,
  recoverSender,
  transactionHash,
} from '@cairn/eth-codec'
import { describe, expect, it } from 'vitest'
import { openVectors } from '../vectors.ts'

const root = openVectors('ethereum-tests.tar.gz')

const forks: Readonly<Record<string, ForkName>> = {
  Frontier: 'frontier',
  Homestead: 'homestead',
  EIP150: 'tangerineWhistle',
  EIP158: 'spuriousDragon',
  Byzantium: 'byzantium',
  Constantinople: 'constantinople',
  ConstantinopleFix: 'petersburg',
  Istanbul: 'istanbul',
  Berlin: 'berlin',
  London: 'london',
  Paris: 'paris',
  Shanghai: 'shanghai',
  Cancun: 'cancun',
}

interface Expected {
  readonly exception?: string
  readonly hash?: string
  readonly sender?: string
  readonly intrinsicGas: string
}

interface TransactionCase {
  readonly result: Readonly<Record<string, Expected>>
  readonly txbytes: string
}

function readCases(): [string, TransactionCase][] {
  if (root === undefined) return []
  const folder = join(root, 'ethereum-tests', 'TransactionTests')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const cases = JSON.parse(readFileSync(join(folder, file), 'utf8'))
      const [each] = Object.values(cases)
      return [basename(file, '.json'), each as TransactionCase]
    })
}

function outcomeOf(bytes: Uint8Array, fork: ForkName): Omit<Expected, 'exception'> | undefined {
  try {
    const transaction = decodeTransaction(bytes)
    checkTransaction(transaction, { fork, chainId: 1n })
    return {
      hash: dataToHex(transactionHash(transaction)),
      sender: dataToHex(recoverSender(transaction, fork === 'frontier')),
      intrinsicGas: `0x${intrinsicGas(transaction, fork).toString(16)}`,
    }
  } catch {
    return undefined
  }
}

const cases = readCases()

describe.skipIf(root === undefined)('TransactionTests', () => {
  it('are all there', () => expect(cases.length).toBe(210))

  it.each(cases)('%s', (_name, { result, txbytes }) => {
    for (const [name, expected] of Object.entries(result)) {
      const fork = forks[name]
      if (fork === undefined) throw new Error(`the suite names ${name}, a fork without rules here`)
      const outcome = outcomeOf(dataFromHex(txbytes), fork)
      if (expected.exception !== undefined) {
        expect([name, outcome]).toEqual([name, undefined])
        continue
      }
      const { hash, sender } = expected
      const gas = `0x${BigInt(expected.intrinsicGas).toString(16)}`
      expect([name, outcome]).toEqual([name, { hash, sender, intrinsicGas: gas }])
    }
  })
})
