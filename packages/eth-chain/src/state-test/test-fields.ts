/** What files of ethereum/tests and of transition tools have in common: names of forks, accounts, numbers, logs. */
import { fromHex } from '@cairn/core'
import { encodeRlp, type ForkName, keccak256, type Log } from '@cairn/eth-codec'
import { MemoryState } from './memory-state.ts'

interface AccountJson {
  readonly balance: string
  readonly nonce?: string
  readonly code?: string
  readonly storage?: Readonly<Record<string, string>>
}

/** By address. */
export type AccountsJson = Readonly<Record<string, AccountJson>>

const forksByTheirName: Readonly<Record<string, ForkName>> = {
  Frontier: 'frontier',
  Homestead: 'homestead',
  EIP150: 'tangerineWhistle',
  EIP158: 'spuriousDragon',
  Byzantium: 'byzantium',
  Constantinople: 'constantinople',
  ConstantinopleFix: 'petersburg',
  Istanbul: 'istanbul',
  MuirGlacier: 'istanbul',
  Berlin: 'berlin',
  London: 'london',
  ArrowGlacier: 'london',
  GrayGlacier: 'london',
  Paris: 'paris',
  Merge: 'paris',
  Shanghai: 'shanghai',
  Cancun: 'cancun',
}

export function forkNamed(theirName: string): ForkName | undefined {
  return Object.hasOwn(forksByTheirName, theirName) ? forksByTheirName[theirName] : undefined
}

export function readState(accounts: AccountsJson): MemoryState {
  const state = new MemoryState()
  for (const [address, account] of Object.entries(accounts)) {
    state.put(bytes(address), {
      balance: bigint(account.balance),
      nonce: bigint(account.nonce ?? '0x0'),
      code: bytes(account.code ?? '0x'),
    })
    for (const [slot, value] of Object.entries(account.storage ?? {})) {
      state.putSlot(bytes(address), word(slot), word(value))
    }
  }
  return state
}

/** How tests compare logs without writing them down. */
export function hashOfLogs(logs: readonly Log[]): Uint8Array {
  return keccak256(encodeRlp(logs.map(({ address, topics, data }) => [address, [...topics], data])))
}

export function bytes(hex: string): Uint8Array {
  const digits = hex.replace(/^0x/, '')
  return fromHex(digits.length % 2 === 0 ? digits : `0${digits}`)
}

export function word(hex: string): Uint8Array {
  return fromHex(hex.replace(/^0x/, '').padStart(64, '0'))
}

export function bigint(text: string): bigint {
  return BigInt(text === '0x' ? 0 : text)
}
