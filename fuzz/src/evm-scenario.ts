/**
 * Scenarios for the EVM: a fork, a transaction and the code of three contracts that know each other. Any bytes are one;
 * `randomScenario` makes bytes whose code does something.
 */
import { emptyCodeHash, type ForkName, forkNames, keccak256 } from '@cairn/eth-codec'
import { forks, opcodes } from '@cairn/eth-evm'
import type { SeededRandom } from '@cairn/testing'

export interface ScenarioAccount {
  /** 20 bytes. */
  readonly address: Uint8Array
  readonly nonce: bigint
  readonly balance: bigint
  readonly code: Uint8Array
  readonly codeHash: Uint8Array
  readonly storage: readonly { readonly slot: Uint8Array; readonly value: Uint8Array }[]
}

export interface Scenario {
  readonly fork: ForkName
  readonly isCreate: boolean
  readonly hasAccessList: boolean
  readonly gasLimit: bigint
  readonly value: bigint
  readonly data: Uint8Array
  readonly accounts: readonly ScenarioAccount[]
}

const addressOf = (byte: number): Uint8Array => new Uint8Array(20).fill(byte)

export const senderAddress: Uint8Array = addressOf(0xaa)
export const coinbaseAddress: Uint8Array = addressOf(0xcb)
/** Low, so that code may push them in two bytes: 0x0c01 to 0x0c03; then an account without code, and an empty one. */
export const contractAddresses: readonly Uint8Array[] = [1, 2, 3].map((low) => shortAddress(low))
export const plainAddress: Uint8Array = shortAddress(4)
export const emptyAddress: Uint8Array = shortAddress(5)

const headBytes = 8
const codeBytesMax = 4096

function shortAddress(low: number): Uint8Array {
  const address = new Uint8Array(20)
  address[18] = 0x0c
  address[19] = low
  return address
}

function wordOf(low: number): Uint8Array {
  const word = new Uint8Array(32)
  word[31] = low
  return word
}

/** Undefined when there are not enough bytes for a head. */
export function scenarioOf(bytes: Uint8Array): Scenario | undefined {
  if (bytes.length < headBytes) return undefined
  const [fork = 0, flags = 0, gasHigh = 0, gasLow = 0, value = 0, dataSize = 0] = bytes
  const [sizeOfFirst = 0, sizeOfSecond = 0] = bytes.subarray(6)
  const data = bytes.subarray(headBytes, headBytes + dataSize)
  const codes = bytes.subarray(headBytes + dataSize)
  const first = sizeOfFirst * 4
  const second = first + sizeOfSecond * 4
  const contracts = [
    codes.subarray(0, first),
    codes.subarray(first, second),
    codes.subarray(second, second + codeBytesMax),
  ]
  const account = (
    address: Uint8Array,
    nonce: bigint,
    balance: bigint,
    code: Uint8Array = new Uint8Array(0),
  ) => ({
    address,
    nonce,
    balance,
    code,
    codeHash: code.length === 0 ? emptyCodeHash : keccak256(code),
    storage:
      code.length === 0
        ? []
        : [1, 2].map((low) => ({ slot: wordOf(low), value: wordOf(low + 16) })),
  })
  return {
    fork: forkNames[fork % forkNames.length] ?? 'cancun',
    isCreate: (flags & 3) === 3,
    hasAccessList: (flags & 4) !== 0,
    gasLimit: BigInt(21_000 + gasHigh * 2048 + gasLow),
    value: BigInt(value),
    data,
    accounts: [
      account(senderAddress, 5n, 10n ** 24n),
      ...contracts.map((code, index) =>
        account(contractAddresses[index] as Uint8Array, 1n, 1000n, code),
      ),
      account(plainAddress, 0n, 77n),
      ...((flags & 8) !== 0 ? [account(emptyAddress, 0n, 0n)] : []),
    ],
  }
}

/** Numbers at which something changes its mind, as PUSH operands. */
const operands: readonly string[] = [
  '00',
  '01',
  '02',
  '1f',
  '20',
  '21',
  '40',
  'ff',
  '0100',
  '0400',
  '0c01',
  '0c02',
  '0c03',
  '0c04',
  '0c05',
  '7fff',
  'ffff',
  'ffffffff',
  '7fffffffffffffff',
  'ffffffffffffffff',
  '010000000000000000',
  'aa'.repeat(20),
  `80${'00'.repeat(31)}`,
  `7f${'ff'.repeat(31)}`,
  'ff'.repeat(32),
  `${'ff'.repeat(31)}fe`,
  `${'ff'.repeat(16)}${'00'.repeat(16)}`,
]
const smallOperandCount = 7
/** Those that read or write memory at what lies on the stack: it is put there small. */
const memoryOpcodes = [0x20, 0x37, 0x39, 0x3c, 0x3e, 0x51, 0x52, 0x53, 0x5e] as const
const callOpcodes = [0xf1, 0xf1, 0xf2, 0xf4, 0xfa] as const
/** A step that takes what is not there, jumps nowhere or is no opcode ends its frame: seldom, so that most go on. */
const wildChance = 0.004

export function randomScenario(random: SeededRandom): Uint8Array {
  // Later forks three times out of four: they have all that the earlier ones have.
  const fork = random.chance(0.75) ? 8 + random.below(5) : random.below(13)
  const first = new CodeMaker(random, fork).make(60)
  const second = new CodeMaker(random, fork).make(40)
  const third = new CodeMaker(random, fork).make(30)
  const data = random.bytes(random.below(80))
  const gasHigh = random.chance(0.9) ? 64 + random.below(190) : random.below(40)
  const sizes = [data.length, first.length / 4, second.length / 4]
  const head = [fork, random.below(16), gasHigh, random.below(256), random.below(3), ...sizes]
  return Uint8Array.from([...head, ...data, ...first, ...second, ...third])
}

/** Code that keeps count of its stack, so that it seldom ends before its end. */
class CodeMaker {
  readonly #random: SeededRandom
  readonly #plain: readonly number[]
  readonly #has: (opcode: number) => boolean
  readonly #code: number[] = []
  #depth = 0

  constructor(random: SeededRandom, fork: number) {
    this.#random = random
    const rules = forks[forkNames[fork % forkNames.length] ?? 'cancun']
    this.#has = (opcode) => rules.opcodes[opcode] !== 0n
    const isPlain = (opcode: number): boolean =>
      opcode < 0xa0 &&
      opcode > 0 &&
      !(opcode >= 0x60 && opcode <= 0x7f) &&
      ![0x54, 0x55, 0x56, 0x57, 0x5c, 0x5d, ...memoryOpcodes].includes(opcode)
    this.#plain = opcodes.flatMap((opcode) =>
      opcode !== undefined && isPlain(opcode.code) && this.#has(opcode.code) ? [opcode.code] : [],
    )
  }

  /** A number of bytes that is divisible by four, at most a KiB. */
  make(stepCountMax: number): readonly number[] {
    const random = this.#random
    const code = this.#code
    const stepCount = 1 + random.below(stepCountMax)
    for (let step = 0; step < stepCount && code.length < 900; step++) this.#addStep()
    if (random.chance(0.6)) {
      this.#pushSmall()
      this.#pushSmall()
      const ending = [0xf3, 0xf3, 0xf3, 0xfd, 0xff, 0x00][random.below(6)] as number
      code.push(this.#has(ending) ? ending : 0xf3)
    }
    while (code.length % 4 !== 0) code.push(0)
    return code
  }

  #addStep(): void {
    const random = this.#random
    const kind = random.below(100)
    if (random.chance(wildChance)) this.#code.push(random.below(256))
    else if (kind < 20) this.#push()
    else if (kind < 55) this.#emit(this.#plain[random.below(this.#plain.length)] as number)
    else if (kind < 65) this.#addStore()
    else if (kind < 75) this.#addMemory()
    else if (kind < 87) this.#addCall()
    else if (kind < 92) this.#addCreate()
    else if (kind < 96) this.#addLog()
    else this.#addJump()
  }

  /** The opcode, after as many operands as it lacks. */
  #emit(opcode: number): void {
    const known = opcodes[opcode]
    if (known === undefined) return
    while (this.#depth < known.inputs) this.#push()
    this.#code.push(opcode)
    this.#depth += known.outputs - known.inputs
  }

  #put(...bytes: number[]): void {
    this.#code.push(0x5f + bytes.length, ...bytes)
    this.#depth++
  }

  #push(): void {
    const random = this.#random
    if (random.chance(0.3)) this.#put(...random.bytes(1 + random.below(32)))
    else {
      this.#put(...Buffer.from(operands[random.below(operands.length)] as string, 'hex'))
    }
  }

  #pushSmall(): void {
    const random = this.#random
    if (random.chance(wildChance)) this.#push()
    else this.#put(Number.parseInt(operands[random.below(smallOperandCount)] as string, 16))
  }

  /** SSTORE or TSTORE of small values to few slots, so that they meet again; then one of them is read. */
  #addStore(): void {
    const random = this.#random
    const isTransient = this.#has(0x5d) && random.chance(0.25)
    this.#put(random.below(3))
    this.#put(random.below(4))
    this.#emit(isTransient ? 0x5d : 0x55)
    if (random.chance(0.6)) return
    this.#put(random.below(4))
    this.#emit(isTransient ? 0x5c : 0x54)
  }

  #addMemory(): void {
    const random = this.#random
    const opcode = memoryOpcodes[random.below(memoryOpcodes.length)] as number
    if (!this.#has(opcode)) return
    const known = opcodes[opcode]
    if (opcode === 0x3e) {
      // RETURNDATACOPY beyond the end halts: nothing is mostly there.
      this.#put(random.chance(0.9) ? 0 : 1)
      this.#put(0)
      this.#pushSmall()
    } else if (opcode === 0x52 || opcode === 0x53) {
      this.#push()
      this.#pushSmall()
    } else if (opcode === 0x3c) {
      for (let i = 0; i < 3; i++) this.#pushSmall()
      this.#putTarget()
    } else for (let i = 0; i < (known?.inputs ?? 0); i++) this.#pushSmall()
    this.#emit(opcode)
  }

  #putTarget(): void {
    const random = this.#random
    // A built-in contract but not 10, for which the official EVM wants a library; or one of ours.
    if (random.chance(0.2)) this.#put(1 + random.below(9))
    else this.#put(0x0c, 1 + random.below(6))
  }

  #addCall(): void {
    const random = this.#random
    const opcode = callOpcodes[random.below(callOpcodes.length)] as number
    if (!this.#has(opcode)) return
    for (let i = 0; i < 4; i++) this.#pushSmall()
    if (opcode === 0xf1 || opcode === 0xf2) this.#put(random.chance(0.6) ? 0 : random.below(3))
    this.#putTarget()
    // Before EIP-150 a call that asks for all of the gas leaves none.
    if (random.chance(0.3) && this.#has(0x3d)) this.#emit(0x5a)
    else this.#put(random.below(256), random.below(256))
    this.#emit(opcode)
  }

  /** Of code that was put into memory: it returns a piece of itself, or whatever lies there. */
  #addCreate(): void {
    const random = this.#random
    const isWithSalt = this.#has(0xf5) && random.chance(0.5)
    if (random.chance(0.7)) {
      // PUSH1 size, PUSH1 offset, RETURN or REVERT at the end of a word.
      const ending = random.chance(0.8) || !this.#has(0xfd) ? 0xf3 : 0xfd
      this.#put(0x60, random.below(33), 0x60, random.below(33), ending)
      this.#put(random.below(5))
      this.#emit(0x52)
    }
    if (isWithSalt) this.#put(random.below(2))
    this.#put(random.below(64))
    this.#put(random.below(40))
    this.#put(random.below(3))
    this.#emit(isWithSalt ? 0xf5 : 0xf0)
  }

  #addLog(): void {
    const random = this.#random
    const topicCount = random.below(5)
    for (let i = 0; i < topicCount; i++) this.#push()
    this.#pushSmall()
    this.#pushSmall()
    this.#emit(0xa0 + topicCount)
  }

  /** Over a few bytes to a JUMPDEST, seldom somewhere else. */
  #addJump(): void {
    const random = this.#random
    const skipped = random.below(4)
    const isConditional = random.chance(0.5)
    if (isConditional) this.#put(1)
    const target = this.#code.length + 4 + skipped + (random.chance(wildChance) ? 1 : 0)
    this.#put(target >> 8, target & 0xff)
    this.#emit(isConditional ? 0x57 : 0x56)
    for (let i = 0; i < skipped; i++) this.#code.push(0x01)
    this.#code.push(0x5b)
  }
}
