/**
 * The interpreter in plain TypeScript over bigint: the oracle of the WebAssembly one, what runs where that is not
 * there, and what tracers that want steps are given. Gas is a bigint: it may be larger than a double holds exactly.
 */
import { hexOfBytes, keccak256 } from '@cairn/eth-codec'
import type { Code } from './code.ts'
import type { AccountEntry } from './execution-state.ts'
import { callFacts, contextWordCount, contextWords, type Host } from './host.ts'
import {
  abortCheckSteps,
  type CallRequest,
  exits,
  type Fault,
  type FaultPlace,
  type Frame,
  faultOfExit,
  type Interpreter,
  memoryBytesMax,
} from './interpreter.ts'
import { bigintToWord, wordLength, wordToBigint, wordToBytes } from './words.ts'

const wordMask = 2n ** 256n - 1n
const signBit = 2n ** 255n
const addressMask = 2n ** 160n - 1n
/** Offsets and sizes beyond this need more memory than there is gas for. */
const offsetMax = BigInt(memoryBytesMax)
const coldAccountExtraGas = 2500n
const coldSlotExtraGas = 2000n
const callValueGas = 9000n
const newAccountGas = 25_000n
const callStipend = 2300n
/** EIP-2200: SSTORE refuses to run with this or less. */
const storeSentryGas = 2300n

const noBytes = new Uint8Array(0)

/** Ends the step, and the frame with it. */
class Halt {
  readonly exit: number
  constructor(exit: number) {
    this.exit = exit
  }
}
const outOfGas = new Halt(exits.outOfGas)

class Running {
  readonly frame: Frame
  readonly code: Code
  readonly input: Uint8Array
  pc = 0
  gas: bigint
  /** What could not be paid, when that has ended the frame. */
  gasMissing = 0n
  readonly stack: bigint[] = []
  memory: Uint8Array = noBytes
  memorySize = 0
  output: Uint8Array = noBytes
  returnData: Uint8Array = noBytes
  /** What the pending request passes on, and where its output goes. */
  requestInput: Uint8Array = noBytes
  outputOffset = 0
  outputSize = 0

  constructor(frame: Frame, input: Uint8Array) {
    this.frame = frame
    this.code = frame.code
    this.input = input
    this.gas = frame.gas
  }
}

export class TypescriptInterpreter implements Interpreter {
  #host!: Host
  readonly #frames: Running[] = []
  #stepsToCheck = abortCheckSteps
  /** Before the running step. */
  #stepGas = 0n
  readonly #words = new Int32Array(2 * wordLength)
  #context: bigint[] = []
  readonly request: CallRequest = {
    opcode: 0,
    gas: 0n,
    target: undefined,
    value: 0n,
    salt: undefined,
  }

  begin(host: Host): void {
    this.#host = host
    this.#frames.length = 0
    this.#context = Array.from({ length: contextWordCount }, (_, index) =>
      wordToBigint(host.context, index * wordLength),
    )
  }

  enter(frame: Frame, input: Uint8Array | undefined): void {
    this.#frames.push(new Running(frame, input ?? this.#top.requestInput))
  }

  get #top(): Running {
    return this.#frames.at(-1) as Running
  }

  inputView(): Uint8Array {
    return this.#top.requestInput
  }

  gasLeft(): bigint {
    return this.#top.gas
  }

  faultPlace(): FaultPlace {
    const { code, pc, stack } = this.#top
    return { opcode: code.bytes[pc] ?? 0, stackSize: stack.length }
  }

  outputView(): Uint8Array {
    return this.#top.output
  }

  leaveCall(isSuccess: boolean, gas: bigint): void {
    const { output } = this.#frames.pop() as Running
    this.answer(isSuccess, gas, output)
  }

  leaveCreate(created: AccountEntry | undefined, gas: bigint, isReverted: boolean): void {
    const { output } = this.#frames.pop() as Running
    const top = this.#top
    top.gas += gas
    top.returnData = isReverted ? output : noBytes
    top.stack.push(created === undefined ? 0n : wordToBigint(created.word, 0))
  }

  answer(isSuccess: boolean, gas: bigint, output: Uint8Array): void {
    const top = this.#top
    top.gas += gas
    top.returnData = output
    const size = Math.min(top.outputSize, output.length)
    if (size > 0) top.memory.set(output.subarray(0, size), top.outputOffset)
    top.stack.push(isSuccess ? 1n : 0n)
  }

  leaveTop(): void {
    this.#frames.pop()
  }

  run(): number {
    const running = this.#top
    try {
      return this.#runFrame(running)
    } catch (halt) {
      if (!(halt instanceof Halt)) throw halt
      running.output = noBytes
      if (this.#host.tracer?.onStepFault) this.#tellFault(running, faultOfExit(halt.exit))
      return halt.exit
    }
  }

  #runFrame(running: Running): number {
    const { tracer, rules } = this.#host
    const { bytes } = running.code
    const { opcodes } = rules
    for (;;) {
      if (--this.#stepsToCheck === 0) {
        this.#stepsToCheck = abortCheckSteps
        if (this.#host.shouldAbort()) return exits.aborted
      }
      const opcode = running.pc < bytes.length ? (bytes[running.pc] as number) : 0
      const gasBefore = running.gas
      if (tracer?.onStep) this.#tellStep(running, opcode)
      this.#stepGas = gasBefore
      const entry = opcodes[opcode] as bigint
      if (entry === 0n) throw new Halt(exits.invalidOpcode)
      const depth = running.stack.length
      if (depth < Number((entry >> 32n) & 0xffn)) throw new Halt(exits.stackUnderflow)
      if (depth > Number((entry >> 40n) & 0xffffn)) throw new Halt(exits.stackOverflow)
      charge(running, entry & 0xffffffffn)
      const exit = this.#step(running, opcode)
      if (tracer?.onStepEnd) {
        const given = exit === exits.create ? this.request.gas : 0n
        tracer.onStepEnd(gasBefore - running.gas - given)
      }
      if (exit >= 0) return exit
    }
  }

  #tellStep(running: Running, opcode: number): void {
    const { frame, stack, memory, memorySize, returnData } = running
    this.#host.tracer?.onStep?.({
      depth: frame.depth,
      address: frame.account.address,
      programCounter: running.pc,
      opcode,
      gas: running.gas,
      stackView: stack,
      memoryView: memory.subarray(0, memorySize),
      returnDataView: returnData,
    })
  }

  #tellFault(running: Running, fault: Fault | undefined): void {
    if (fault === undefined) return
    const { rules, tracer } = this.#host
    // Neither an unknown opcode nor one without its words was paid for; the second is named with its price.
    const isUnpaid = fault === 'STACK_UNDERFLOW' || fault === 'STACK_OVERFLOW'
    const { opcode } = this.faultPlace()
    const gasCost = isUnpaid
      ? (rules.opcodes[opcode] as bigint) & 0xffffffffn
      : this.#stepGas - running.gas + running.gasMissing
    tracer?.onStepFault?.(gasCost, fault)
  }

  /** @returns -1 to go on, or one of `exits`. */
  #step(running: Running, opcode: number): number {
    running.pc++
    if (opcode >= 0x5f && opcode <= 0x7f) return push(running, opcode - 0x5f)
    if (opcode >= 0x80 && opcode <= 0x8f) {
      const { stack } = running
      stack.push(stack[stack.length - (opcode - 0x7f)] as bigint)
      return -1
    }
    if (opcode >= 0x90 && opcode <= 0x9f) {
      const { stack } = running
      const other = stack.length - 1 - (opcode - 0x8f)
      const top = stack.length - 1
      const kept = stack[top] as bigint
      stack[top] = stack[other] as bigint
      stack[other] = kept
      return -1
    }
    if (opcode <= 0x1d) return opcode === 0 ? exits.stop : this.#arithmetic(running, opcode)
    if (opcode >= 0xa0 && opcode <= 0xa4) return this.#log(running, opcode - 0xa0)
    if (opcode < 0x50) return this.#environment(running, opcode)
    if (opcode < 0x60) return this.#memoryAndFlow(running, opcode)
    return this.#system(running, opcode)
  }

  #arithmetic(running: Running, opcode: number): number {
    const { stack } = running
    const a = pop(stack)
    if (opcode === 0x15) return result(stack, a === 0n ? 1n : 0n)
    if (opcode === 0x19) return result(stack, a ^ wordMask)
    const b = pop(stack)
    switch (opcode) {
      case 0x01:
        return result(stack, (a + b) & wordMask)
      case 0x02:
        return result(stack, (a * b) & wordMask)
      case 0x03:
        return result(stack, (a - b) & wordMask)
      case 0x04:
        return result(stack, b === 0n ? 0n : a / b)
      case 0x05:
        return result(stack, b === 0n ? 0n : (signed(a) / signed(b)) & wordMask)
      case 0x06:
        return result(stack, b === 0n ? 0n : a % b)
      case 0x07:
        return result(stack, b === 0n ? 0n : (signed(a) % signed(b)) & wordMask)
      case 0x08: {
        const n = pop(stack)
        return result(stack, n === 0n ? 0n : (a + b) % n)
      }
      case 0x09: {
        const n = pop(stack)
        return result(stack, n === 0n ? 0n : (a * b) % n)
      }
      case 0x0a: {
        const byteCount = b === 0n ? 0 : (b.toString(16).length + 1) >> 1
        charge(running, BigInt(byteCount * this.#host.rules.expByteGas))
        return result(stack, power(a, b))
      }
      case 0x0b: {
        if (a >= 31n) return result(stack, b)
        return result(stack, BigInt.asIntN(8 * (Number(a) + 1), b) & wordMask)
      }
      case 0x10:
        return result(stack, a < b ? 1n : 0n)
      case 0x11:
        return result(stack, a > b ? 1n : 0n)
      case 0x12:
        return result(stack, signed(a) < signed(b) ? 1n : 0n)
      case 0x13:
        return result(stack, signed(a) > signed(b) ? 1n : 0n)
      case 0x14:
        return result(stack, a === b ? 1n : 0n)
      case 0x16:
        return result(stack, a & b)
      case 0x17:
        return result(stack, a | b)
      case 0x18:
        return result(stack, a ^ b)
      case 0x1a:
        return result(stack, a > 31n ? 0n : (b >> (248n - 8n * a)) & 0xffn)
      case 0x1b:
        return result(stack, a > 255n ? 0n : (b << a) & wordMask)
      case 0x1c:
        return result(stack, a > 255n ? 0n : b >> a)
      default:
        // SAR
        return result(stack, (a > 255n ? signed(b) >> 255n : signed(b) >> a) & wordMask)
    }
  }

  #environment(running: Running, opcode: number): number {
    const { stack, frame } = running
    const host = this.#host
    const context = this.#context
    switch (opcode) {
      case 0x20: {
        const offset = pop(stack)
        const size = pop(stack)
        const start = useMemory(running, offset, size)
        charge(running, 6n * wordCount(size))
        const hash = keccak256(running.memory.subarray(start, start + Number(size)))
        return result(stack, bigintOf(hash))
      }
      case 0x30:
        return result(stack, wordToBigint(frame.account.word, 0))
      case 0x31:
        return this.#ask(running, (words) => host.balance(words, 0))
      case 0x32:
        return result(stack, context[contextWords.origin] as bigint)
      case 0x33:
        return result(stack, wordToBigint(frame.caller.word, 0))
      case 0x34:
        return result(stack, frame.value)
      case 0x35:
        return result(stack, loadWord(running.input, pop(stack)))
      case 0x36:
        return result(stack, BigInt(running.input.length))
      case 0x37:
        return copyToMemory(running, running.input)
      case 0x38:
        return result(stack, BigInt(running.code.bytes.length))
      case 0x39:
        return copyToMemory(running, running.code.bytes)
      case 0x3a:
        return result(stack, context[contextWords.gasPrice] as bigint)
      case 0x3b:
        return this.#ask(running, (words) => host.codeSize(words, 0))
      case 0x3c: {
        bigintToWord(pop(stack), this.#words, 0)
        const { code, isCold } = host.codeAt(this.#words, 0)
        if (isCold) charge(running, coldAccountExtraGas)
        return copyToMemory(running, code.bytes)
      }
      case 0x3d:
        return result(stack, BigInt(running.returnData.length))
      case 0x3e: {
        const source = stack.at(-2) as bigint
        const size = stack.at(-3) as bigint
        if (source + size > BigInt(running.returnData.length)) {
          throw new Halt(exits.returnDataOutOfBounds)
        }
        return copyToMemory(running, running.returnData)
      }
      case 0x3f:
        return this.#ask(running, (words) => host.codeHash(words, 0))
      case 0x40:
        bigintToWord(pop(stack), this.#words, 0)
        host.blockHash(this.#words, 0)
        return result(stack, wordToBigint(this.#words, 0))
      case 0x41:
        return result(stack, context[contextWords.coinbase] as bigint)
      case 0x42:
        return result(stack, context[contextWords.timestamp] as bigint)
      case 0x43:
        return result(stack, context[contextWords.number] as bigint)
      case 0x44:
        return result(stack, context[contextWords.difficulty] as bigint)
      case 0x45:
        return result(stack, context[contextWords.gasLimit] as bigint)
      case 0x46:
        return result(stack, context[contextWords.chainId] as bigint)
      case 0x47:
        return result(stack, frame.account.balance)
      case 0x48:
        return result(stack, context[contextWords.baseFee] as bigint)
      case 0x49:
        pop(stack)
        return result(stack, 0n)
      default:
        return result(stack, context[contextWords.blobBaseFee] as bigint)
    }
  }

  /** Replaces the top by what the host says of it. */
  #ask(running: Running, work: (words: Int32Array) => boolean): number {
    bigintToWord(pop(running.stack), this.#words, 0)
    if (work(this.#words)) charge(running, coldAccountExtraGas)
    return result(running.stack, wordToBigint(this.#words, 0))
  }

  #memoryAndFlow(running: Running, opcode: number): number {
    const { stack, frame } = running
    const host = this.#host
    switch (opcode) {
      case 0x50:
        pop(stack)
        return -1
      case 0x51: {
        const start = useMemory(running, pop(stack), 32n)
        return result(stack, bigintOf(running.memory.subarray(start, start + 32)))
      }
      case 0x52: {
        const start = useMemory(running, pop(stack), 32n)
        bigintToWord(pop(stack), this.#words, 0)
        running.memory.set(wordToBytes(this.#words, 0), start)
        return -1
      }
      case 0x53: {
        const start = useMemory(running, pop(stack), 1n)
        running.memory[start] = Number(pop(stack) & 0xffn)
        return -1
      }
      case 0x54:
        bigintToWord(pop(stack), this.#words, 0)
        if (host.load(this.#words, 0) && host.rules.hasAccessLists) {
          charge(running, coldSlotExtraGas)
        }
        return result(stack, wordToBigint(this.#words, 0))
      case 0x55: {
        if (frame.isStatic) throw new Halt(exits.staticWrite)
        const hasSentry = !['frontier', 'eip1283'].includes(host.rules.storageRule)
        if (hasSentry && running.gas <= storeSentryGas) throw outOfGas
        bigintToWord(pop(stack), this.#words, 0)
        bigintToWord(pop(stack), this.#words, wordLength)
        charge(running, BigInt(host.store(this.#words, 0, wordLength)))
        return -1
      }
      case 0x56:
        jump(running, pop(stack))
        return -1
      case 0x57: {
        const target = pop(stack)
        if (pop(stack) !== 0n) jump(running, target)
        return -1
      }
      case 0x58:
        return result(stack, BigInt(running.pc - 1))
      case 0x59:
        return result(stack, BigInt(running.memorySize))
      case 0x5a:
        return result(stack, running.gas)
      case 0x5b:
        return -1
      case 0x5c:
        bigintToWord(pop(stack), this.#words, 0)
        host.loadTransient(this.#words, 0)
        return result(stack, wordToBigint(this.#words, 0))
      case 0x5d:
        if (frame.isStatic) throw new Halt(exits.staticWrite)
        bigintToWord(pop(stack), this.#words, 0)
        bigintToWord(pop(stack), this.#words, wordLength)
        host.storeTransient(this.#words, 0, wordLength)
        return -1
      default: {
        // MCOPY
        const target = pop(stack)
        const source = pop(stack)
        const size = pop(stack)
        const farthest = target > source ? target : source
        useMemory(running, farthest, size)
        charge(running, 3n * wordCount(size))
        if (size > 0n) {
          const from = Number(source)
          running.memory.copyWithin(Number(target), from, from + Number(size))
        }
        return -1
      }
    }
  }

  #log(running: Running, topicCount: number): number {
    const { stack, frame } = running
    if (frame.isStatic) throw new Halt(exits.staticWrite)
    const offset = pop(stack)
    const size = pop(stack)
    const start = useMemory(running, offset, size)
    charge(running, 8n * size)
    const topics: Uint8Array[] = []
    for (let i = 0; i < topicCount; i++) {
      bigintToWord(pop(stack), this.#words, 0)
      topics.push(wordToBytes(this.#words, 0))
    }
    this.#host.log(topics, running.memory.slice(start, start + Number(size)))
    return -1
  }

  #system(running: Running, opcode: number): number {
    const { stack, frame } = running
    switch (opcode) {
      case 0xf0:
      case 0xf5:
        return this.#create(running, opcode)
      case 0xf1:
      case 0xf2:
      case 0xf4:
      case 0xfa:
        return this.#call(running, opcode)
      case 0xf3:
      case 0xfd: {
        const offset = pop(stack)
        const size = pop(stack)
        const start = useMemory(running, offset, size)
        running.output = running.memory.subarray(start, start + Number(size))
        return opcode === 0xf3 ? exits.return : exits.revert
      }
      default: {
        // SELFDESTRUCT
        if (frame.isStatic) throw new Halt(exits.staticWrite)
        bigintToWord(pop(stack), this.#words, 0)
        charge(running, BigInt(this.#host.selfDestructGas(this.#words, 0)))
        this.#host.selfDestruct(this.#words, 0)
        return exits.selfDestruct
      }
    }
  }

  #create(running: Running, opcode: number): number {
    const { stack, frame } = running
    const { rules } = this.#host
    if (frame.isStatic) throw new Halt(exits.staticWrite)
    const value = pop(stack)
    const offset = pop(stack)
    const size = pop(stack)
    const salt = opcode === 0xf5 ? pop(stack) : undefined
    if (size > BigInt(rules.initCodeBytesMax)) throw new Halt(exits.initCodeTooLarge)
    const start = useMemory(running, offset, size)
    const hashGas = opcode === 0xf5 ? 6 : 0
    charge(running, wordCount(size) * BigInt(rules.initCodeWordGas + hashGas))
    const gas = rules.capsCallGas ? running.gas - running.gas / 64n : running.gas
    running.gas -= gas
    running.requestInput = running.memory.subarray(start, start + Number(size))
    running.outputSize = 0
    const { request } = this
    request.opcode = opcode
    request.gas = gas
    request.value = value
    request.target = undefined
    request.salt = undefined
    if (salt !== undefined) {
      bigintToWord(salt, this.#words, 0)
      request.salt = wordToBytes(this.#words, 0)
    }
    running.returnData = noBytes
    return exits.create
  }

  #call(running: Running, opcode: number): number {
    const { stack, frame } = running
    const host = this.#host
    const { rules, state } = host
    const wantedGas = pop(stack)
    bigintToWord(pop(stack) & addressMask, this.#words, 0)
    const target = state.entryAt(this.#words, 0)
    const takesValue = opcode === 0xf1 || opcode === 0xf2
    const value = takesValue ? pop(stack) : 0n
    const inputOffset = pop(stack)
    const inputSize = pop(stack)
    const outputOffset = pop(stack)
    const outputSize = pop(stack)
    if (opcode === 0xf1 && frame.isStatic && value > 0n) throw new Halt(exits.staticWrite)
    const inputStart = useMemory(running, inputOffset, inputSize)
    const outputStart = useMemory(running, outputOffset, outputSize)
    const facts = host.callFacts(target)
    if ((facts & callFacts.cold) !== 0) charge(running, coldAccountExtraGas)
    if (value > 0n) charge(running, callValueGas)
    if (opcode === 0xf1) {
      const makesAccount = rules.removesEmptyAccounts
        ? (facts & callFacts.dead) !== 0 && value > 0n
        : (facts & callFacts.missing) !== 0
      if (makesAccount) charge(running, newAccountGas)
    }
    let gas = wantedGas
    if (rules.capsCallGas) {
      const gasMax = running.gas - running.gas / 64n
      if (gas > gasMax) gas = gasMax
    }
    charge(running, gas)
    if (value > 0n) gas += callStipend
    running.requestInput = running.memory.subarray(inputStart, inputStart + Number(inputSize))
    running.outputOffset = outputStart
    running.outputSize = Number(outputSize)
    running.returnData = noBytes
    const { request } = this
    request.opcode = opcode
    request.gas = gas
    request.value = value
    request.target = target
    request.salt = undefined
    return exits.call
  }
}

function charge(running: Running, gas: bigint): void {
  if (gas > running.gas) {
    running.gasMissing = gas
    throw outOfGas
  }
  running.gas -= gas
}

function pop(stack: bigint[]): bigint {
  // The stack was found deep enough before the step.
  return stack.pop() as bigint
}

function result(stack: bigint[], value: bigint): number {
  stack.push(value)
  return -1
}

function push(running: Running, size: number): number {
  const { bytes } = running.code
  let value = 0n
  const end = running.pc + size
  const present = Math.min(end, bytes.length)
  if (present > running.pc) {
    value = bigintOf(bytes.subarray(running.pc, present)) << BigInt(8 * (end - present))
  }
  running.pc = end
  running.stack.push(value)
  return -1
}

function jump(running: Running, target: bigint): void {
  if (target > BigInt(running.code.bytes.length)) throw new Halt(exits.invalidJump)
  const offset = Number(target)
  if (!running.code.isJumpDestination(offset)) throw new Halt(exits.invalidJump)
  running.pc = offset
}

function signed(value: bigint): bigint {
  return value >= signBit ? value - 2n * signBit : value
}

function power(base: bigint, exponent: bigint): bigint {
  let value = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) value = (value * square) & wordMask
    square = (square * square) & wordMask
  }
  return value
}

function wordCount(size: bigint): bigint {
  return (size + 31n) / 32n
}

function bigintOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${hexOfBytes(bytes)}`)
}

/** The word at an offset of the input; bytes beyond its end are zero. */
function loadWord(bytes: Uint8Array, offset: bigint): bigint {
  if (offset >= BigInt(bytes.length)) return 0n
  const start = Number(offset)
  const part = bytes.subarray(start, start + 32)
  return bigintOf(part) << BigInt(8 * (32 - part.length))
}

/** Pays for memory up to `offset + size` and grows it. @returns the offset; 0 when nothing is used. */
function useMemory(running: Running, offset: bigint, size: bigint): number {
  if (size === 0n) return 0
  if (size > offsetMax || offset > offsetMax) throw outOfGas
  const end = Number(offset + size)
  if (end <= running.memorySize) return Number(offset)
  const words = Math.ceil(end / 32)
  const wordsBefore = running.memorySize / 32
  charge(running, memoryGas(words) - memoryGas(wordsBefore))
  running.memorySize = words * 32
  if (running.memorySize > running.memory.length) {
    const larger = new Uint8Array(Math.max(running.memorySize, 2 * running.memory.length, 256))
    larger.set(running.memory)
    running.memory = larger
  }
  return Number(offset)
}

function memoryGas(words: number): bigint {
  const count = BigInt(words)
  return 3n * count + (count * count) / 512n
}

/** The copying opcodes: offset in memory, offset in the source, size. Beyond the source there are zeros. */
function copyToMemory(running: Running, source: Uint8Array): number {
  const { stack } = running
  const offset = pop(stack)
  const sourceOffset = pop(stack)
  const size = pop(stack)
  const start = useMemory(running, offset, size)
  charge(running, 3n * wordCount(size))
  if (size === 0n) return -1
  const end = start + Number(size)
  const from = sourceOffset > BigInt(source.length) ? source.length : Number(sourceOffset)
  const part = source.subarray(from, from + Number(size))
  running.memory.set(part, start)
  running.memory.fill(0, start + part.length, end)
  return -1
}
