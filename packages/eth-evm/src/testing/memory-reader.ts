/** Committed state in memory, for tests. */
import { toHex } from '@cairn/core'
import { type Account, emptyCodeHash, keccak256, type StateReader } from '@cairn/eth-codec'

export interface AccountFields {
  readonly nonce?: bigint
  readonly balance?: bigint
  /** In hex. */
  readonly code?: string
  readonly storage?: Readonly<Record<number, number>>
}

export function word(low: number): Uint8Array {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(28, low)
  return bytes
}

/** 20 bytes of the same value. */
export function addressOf(byte: number): Uint8Array {
  return new Uint8Array(20).fill(byte)
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'))
}

/** @param accounts by the byte of which their address is made. */
export function memoryReader(accounts: Readonly<Record<number, AccountFields>>): StateReader {
  const codes = new Map<string, Uint8Array>([[toHex(emptyCodeHash), new Uint8Array(0)]])
  const stored = new Map<string, Account & { readonly fields: AccountFields }>()
  for (const [byte, fields] of Object.entries(accounts)) {
    const code = hex(fields.code ?? '')
    const codeHash = keccak256(code)
    codes.set(toHex(codeHash), code)
    const { nonce = 0n, balance = 0n } = fields
    stored.set(toHex(addressOf(Number(byte))), { nonce, balance, codeHash, fields })
  }
  return {
    readAccount: (address) => stored.get(toHex(address)),
    readStorage: (address, slot) => {
      const { storage } = stored.get(toHex(address))?.fields ?? {}
      return word(storage?.[new DataView(slot.buffer, slot.byteOffset).getUint32(28)] ?? 0)
    },
    readCode: (codeHash) => {
      const code = codes.get(toHex(codeHash))
      if (code === undefined) throw new Error(`no code ${toHex(codeHash)}`)
      return code
    },
  }
}
