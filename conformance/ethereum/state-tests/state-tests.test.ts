/**
 * GeneralStateTests of ethereum/tests, every entry of every fork from Frontier to Cancun: all of them in WebAssembly,
 * each eighth file in TypeScript too. With CAIRN_STATE_TESTS=all both run all, the slow ones as well; only for what
 * takes a minute in WebAssembly there is no TypeScript run, which would take half an hour.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isBlobEntry, readStateTest, runStateTest } from '@cairn/eth-chain'
import { Evm, type InterpreterName } from '@cairn/eth-evm'
import { describe, expect, it } from 'vitest'
import { openVectors } from '../../vectors.ts'
import { blobFiles, slowFiles, slowTypescriptFiles } from './left-out.ts'

const archive = 'ethereum-tests.tar.gz'
const folder = openVectors(archive)
const runsAll = process.env['CAIRN_STATE_TESTS'] === 'all'
const sampleStep = 8
/** The slowest of the slow, alone on a busy core. */
const timeoutMs = 1_200_000

if (folder === undefined) {
  describe.skip(`state tests: ${archive} is not there`, () => {
    it('runs', () => {})
  })
} else {
  const root = join(folder, 'ethereum-tests', 'GeneralStateTests')
  const files = (readdirSync(root, { recursive: true, encoding: 'utf8' }) as string[])
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replaceAll('\\', '/'))
    .sort()

  const entriesOf = (file: string) => readStateTest(readFileSync(join(root, file), 'utf8'), file)

  describe('state tests', () => {
    it('are all there, those left out too', () => {
      expect(files.length).toBeGreaterThan(1300)
      const named = [...blobFiles.files, ...slowFiles.files, ...slowTypescriptFiles.files]
      expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([])
    })

    it.each(blobFiles.files)(`leaves out ${blobFiles.reason} and nothing else: %s`, (file) => {
      expect(entriesOf(file).every(isBlobEntry)).toBe(true)
    })
  })

  runWith('wasm', runsAll ? files : files.filter((file) => !slowFiles.files.includes(file)))
  const possible = files.filter((file) => !slowFiles.files.includes(file))
  const sample = files.filter((_, index) => index % sampleStep === 0)
  const isQuick = (file: string): boolean => !slowTypescriptFiles.files.includes(file)
  runWith(
    'typescript',
    possible.filter((file) => runsAll || (sample.includes(file) && isQuick(file))),
  )

  function runWith(interpreter: InterpreterName, chosen: readonly string[]): void {
    describe(`state tests, ${interpreter}`, () => {
      const evm = new Evm({ interpreter })
      for (const file of chosen) {
        if (blobFiles.files.includes(file)) continue
        it(file, { timeout: timeoutMs }, () => {
          const entries = entriesOf(file)
          const failures = entries.map((each) => [each.name, runStateTest(each, evm).failure])
          expect(failures.filter(([, failure]) => failure !== undefined)).toEqual([])
          expect(entries.length).toBeGreaterThan(0)
        })
      }
    })
  }
}
