import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runProgram } from '../testing/run-program.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-t8n-'))
})
afterAll(() => rm(folder, { recursive: true }))

const sender = '0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b'
const secretKey = '0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8'
const receiver = `0x${'0b'.repeat(20)}`
const alloc = { [sender]: { balance: '0xde0b6b3a7640000' } }
const env = {
  currentCoinbase: `0x${'0c'.repeat(20)}`,
  currentDifficulty: '0x20000',
  currentGasLimit: '0x5f5e100',
  currentNumber: '0x1',
  currentTimestamp: '1000',
  parentBaseFee: '0x8',
  parentGasUsed: '0x0',
  parentGasLimit: '0x5f5e100',
}
const send = (nonce: number) => ({
  nonce,
  gas: '0x5208',
  gasPrice: '0xa',
  to: receiver,
  value: '0x7',
  secretKey,
})

it('runs what comes through a pipe, and says which transactions were refused', async () => {
  const stdin = ['alloc', 'env', 'txs'].map((part) => `--input.${part}=stdin`)
  const stdout = ['alloc', 'result', 'body'].map((part) => `--output.${part}=stdout`)
  const typed = JSON.stringify({ alloc, env, txs: [send(0), send(5), send(1)] })
  const run = await runProgram(['geth', 't8n', ...stdin, ...stdout, '--state.reward=2'], typed)
  expect(run).toMatchObject({ code: 0, errorOutput: '' })
  const { result, alloc: after, body } = JSON.parse(run.output)
  expect(after[receiver]).toEqual({ balance: '0xe' })
  expect(after[sender].nonce).toBe('0x2')
  // Twice the tip of 10 - 7 wei for 21000 gas, and the reward.
  expect(after[env.currentCoinbase]).toEqual({ balance: `0x${(2 * 21_000 * 3 + 2).toString(16)}` })
  expect(result).toMatchObject({
    gasUsed: '0xa410',
    currentBaseFee: '0x7',
    logsBloom: `0x${'00'.repeat(256)}`,
  })
  expect(result.receipts.map((it: { status: string }) => it.status)).toEqual(['0x1', '0x1'])
  expect(result.rejected).toEqual([{ index: 1, error: expect.stringContaining('nonce too high') }])

  // The same from files, with what was made as transactions.
  for (const [name, json] of Object.entries({ alloc, env, body })) {
    await writeFile(join(folder, `${name}.json`), JSON.stringify(json))
  }
  const inputs = ['alloc', 'env'].map((part) => `--input.${part}=${join(folder, part)}.json`)
  const again = await runProgram([
    ...['geth', 't8n', ...inputs, `--input.txs=${join(folder, 'body.json')}`],
    ...['--output.basedir', join(folder, 'out'), '--state.reward=2'],
  ])
  expect(again).toMatchObject({ code: 0 })
  const second = JSON.parse(await readFile(join(folder, 'out', 'result.json'), 'utf8'))
  expect({ ...second, rejected: result.rejected }).toEqual(result)
})

it.each([
  [['--state.fork=Tokyo'], 'the fork Tokyo is not known'],
  [['--state.fork=Shanghai'], 'currentRandom is missing'],
])('%j is refused', async (flags, message) => {
  const stdin = ['alloc', 'env', 'txs'].map((part) => `--input.${part}=stdin`)
  const typed = JSON.stringify({ alloc, env, txs: [] })
  const run = await runProgram(['geth', 't8n', ...stdin, ...flags], typed)
  expect(run.code).toBe(1)
  expect(run.errorOutput).toContain(message)
})
