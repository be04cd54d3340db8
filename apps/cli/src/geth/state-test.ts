/** `geth statetest FILE …`: runs files in the format of ethereum/tests, one line of JSON for each case. */
import { readFile } from 'node:fs/promises'
import { readStateTest, runStateTest } from '@cairn/eth-chain'
import { Evm } from '@cairn/eth-evm'
import { exitDone, exitFailed } from '../command.ts'
import { print, type Terminal } from '../terminal.ts'
import { type GethLine, GethUsageError } from './geth-flags.ts'

export async function runStateTests(line: GethLine, terminal: Terminal): Promise<number> {
  const [, ...paths] = line.words
  if (paths.length === 0) throw new GethUsageError('statetest needs at least one file')
  const evm = new Evm()
  let areAllPassed = true
  for (const path of paths) {
    for (const entry of readStateTest(await readFile(path, 'utf8'), path)) {
      const { failure, expectedRoot, root } = runStateTest(entry, evm)
      areAllPassed &&= failure === undefined
      const result = {
        name: entry.name,
        fork: entry.forkName,
        pass: failure === undefined,
        expected: expectedRoot,
        computed: root ?? null,
        ...(failure === undefined ? {} : { error: failure }),
      }
      print(terminal, JSON.stringify(result))
    }
  }
  return areAllPassed ? exitDone : exitFailed
}
