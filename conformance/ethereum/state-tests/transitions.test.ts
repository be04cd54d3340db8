/**
 * State tests again, as transitions: what `geth t8n` makes of a block with the one transaction. Roots and logs have to
 * be those of the test.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readStateTest, runTransition } from '@cairn/eth-chain'
import { dataFromHex, dataToHex, decodeRlp, encodeRlp } from '@cairn/eth-codec'
import { Evm } from '@cairn/eth-evm'
import { describe, expect, it } from 'vitest'
import { openVectors } from '../../vectors.ts'

const archive = 'ethereum-tests.tar.gz'
const folder = openVectors(archive)
/** Small suites of many kinds: creation, calls, access lists, fees. */
const suites = ['stExample', 'stEIP1559', 'stEIP2930', 'stCreate2', 'stRevertTest']

if (folder === undefined) {
  describe.skip(`transitions: ${archive} is not there`, () => {
    it('runs', () => {})
  })
} else {
  const root = join(folder, 'ethereum-tests', 'GeneralStateTests')
  const evm = new Evm()
  it.each(suites)('come to the roots of %s', (suite) => {
    let count = 0
    for (const file of readdirSync(join(root, suite)).filter((name) => name.endsWith('.json'))) {
      for (const { name, test, forkName, post } of readStateTest(
        readFileSync(join(root, suite, file), 'utf8'),
        file,
      )) {
        const bytes = dataFromHex(post.txbytes)
        const isTyped = (bytes[0] as number) < 0xc0
        const { result } = runTransition(
          {
            alloc: test.pre,
            env: { ...test.env, blockHashes: {} },
            txs: dataToHex(encodeRlp([isTyped ? bytes : decodeRlp(bytes)])),
            fork: forkName,
            chainId: 1n,
            reward: 0n,
          },
          evm,
        )
        const isRefused = post.expectException !== undefined
        expect([
          name,
          result['stateRoot'],
          result['logsHash'],
          result['rejected'] !== undefined,
        ]).toEqual([name, post.hash, post.logs, isRefused])
        count++
      }
    }
    expect(count).toBeGreaterThan(0)
  })
}
