/**
 * The interpreter in WebAssembly (assembly/evm.ts) seen from JavaScript: frames and codes are laid into its linear
 * memory, its questions are answered by the host. Words stay where they are; bytes are copied when they leave.
 */
import { assert } from '@cairn/core'
import type { Code } from './code.ts'
import type { AccountEntry } from './execution-state.ts'
import type { ForkRules } from './forks.ts'
import type { Host } from './host.ts'
import type { CallRequest, FaultPlace, Frame, Interpreter } from './interpreter.ts'
import { wasmFrame, wasmLayout } from './wasm-layout.ts'
import { bigintToWord, clearWord, wordLength, wordToBigint, wordToBytes } from './words.ts'

const layout = wasmLayout

/** Zeros behind a code: a PUSH at its very end reads 32 of them, and the next one is STOP. */
const codePaddingBytes = 64
const noBytes = new Uint8Array(0)
/** An opcode that needs more words than a stack can have: the fork does not know it. */
const neverEnough = 0xffffn

interface WasmExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  prepare(): void
  blake2(): void
  analyze(code: number, size: number, bitmap: number): void
  reserve(bytes: number): number
  run(frame: number): number
  finishCall(frame: number, child: number, isSuccess: number, gas: bigint): void
  answer(frame: number, output: number, size: number, isSuccess: number, gas: bigint): void
}

/** The parts of WebAssembly used here; the compiler's own types for it come with the DOM. */
interface WebAssemblyLike {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Imports>>,
  ) => { readonly exports: object }
}
type Imports = Readonly<Record<string, (...values: number[]) => number | undefined>>

export class WasmInterpreter implements Interpreter {
  readonly #exports: WasmExports
  #host!: Host
  #bytes!: Uint8Array
  #words!: Int32Array
  #longs!: BigInt64Array
  #rules: ForkRules | undefined
  /** Frames in use, and the record of the top one in 32-bit integers. */
  #depth = 0
  #top = 0
  /** Codes are laid one behind the other; when the room is full, all are forgotten and the generation goes on. */
  #codesEnd: number = layout.codes
  #generation = 0
  readonly request: CallRequest = {
    opcode: 0,
    gas: 0n,
    target: undefined,
    value: 0n,
    salt: undefined,
  }

  /**
   * @param bytes of dist/evm.wasm.
   * @throws what the engine throws on bytes that are no module, or when it has no memory left.
   */
  constructor(bytes: Uint8Array) {
    const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyLike }
    const module = new WebAssembly.Module(bytes)
    const instance = new WebAssembly.Instance(module, { host: this.#imports() })
    this.#exports = instance.exports as unknown as WasmExports
    this.#exports.prepare()
    this.#view()
  }

  #view(): void {
    const { buffer } = this.#exports.memory
    this.#bytes = new Uint8Array(buffer)
    this.#words = new Int32Array(buffer)
    this.#longs = new BigInt64Array(buffer)
  }

  /** Views are dead after the memory grew. */
  #look(): Int32Array {
    if (this.#words.length === 0) this.#view()
    return this.#words
  }

  #imports(): Imports {
    const at = (pointer: number): number => pointer >>> 2
    return {
      load: (word = 0) =>
        this.#host.load(this.#look(), at(word)) && this.#host.rules.hasAccessLists ? 1 : 0,
      store: (key = 0, value = 0) => this.#host.store(this.#look(), at(key), at(value)),
      loadTransient: (word = 0) => {
        this.#host.loadTransient(this.#look(), at(word))
        return undefined
      },
      storeTransient: (key = 0, value = 0) => {
        this.#host.storeTransient(this.#look(), at(key), at(value))
        return undefined
      },
      balance: (word = 0) => (this.#host.balance(this.#look(), at(word)) ? 1 : 0),
      selfBalance: (word = 0) => {
        this.#host.selfBalance(this.#look(), at(word))
        return undefined
      },
      codeSize: (word = 0) => (this.#host.codeSize(this.#look(), at(word)) ? 1 : 0),
      codeHash: (word = 0) => (this.#host.codeHash(this.#look(), at(word)) ? 1 : 0),
      codeCopy: (word = 0, to = 0, from = 0, size = 0) => {
        const { code, isCold } = this.#host.codeAt(this.#look(), at(word))
        const part = code.bytes.subarray(from, from + size)
        if (size > 0) {
          this.#bytes.set(part, to)
          this.#bytes.fill(0, to + part.length, to + size)
        }
        return isCold ? 1 : 0
      },
      blockHash: (word = 0) => {
        this.#host.blockHash(this.#look(), at(word))
        return undefined
      },
      log: (topicCount = 0, lastTopic = 0, data = 0, size = 0) => {
        const words = this.#look()
        const topics: Uint8Array[] = []
        for (let i = topicCount - 1; i >= 0; i--) {
          topics.push(wordToBytes(words, at(lastTopic) + i * wordLength))
        }
        this.#host.log(topics, size === 0 ? noBytes : this.#bytes.slice(data, data + size))
        return undefined
      },
      callFacts: (word = 0) => {
        const target = this.#host.state.entryAt(this.#look(), at(word))
        this.request.target = target
        return this.#host.callFacts(target)
      },
      selfDestructGas: (word = 0) => this.#host.selfDestructGas(this.#look(), at(word)),
      selfDestruct: (word = 0) => {
        this.#host.selfDestruct(this.#look(), at(word))
        return undefined
      },
      shouldAbort: () => (this.#host.shouldAbort() ? 1 : 0),
    }
  }

  begin(host: Host): void {
    this.#host = host
    this.#depth = 0
    const words = this.#look()
    words.set(host.context, layout.context >> 2)
    if (this.#rules !== host.rules) this.#setRules(host.rules)
    // Nothing runs, so nothing is looking at a code.
    if (this.#codesEnd > layout.codes + (layout.heap - layout.codes) / 2) this.#forgetCodes()
  }

  #forgetCodes(): void {
    this.#codesEnd = layout.codes
    this.#generation++
  }

  #setRules(rules: ForkRules): void {
    this.#rules = rules
    for (let code = 0; code < 256; code++) {
      const entry = rules.opcodes[code] as bigint
      const needed = (entry >> 32n) & 0xffn
      const range = ((entry >> 40n) & 0xffffn) - needed
      this.#longs[(layout.opcodeTable >> 3) + code] = BigInt.asIntN(
        64,
        entry === 0n
          ? neverEnough << 32n
          : (entry & 0xffffffffn) | (needed << 32n) | (range << 48n),
      )
    }
    const hasSentry = rules.storageRule !== 'frontier' && rules.storageRule !== 'eip1283'
    this.#words.set(
      [
        rules.expByteGas,
        hasSentry ? 1 : 0,
        rules.capsCallGas ? 1 : 0,
        rules.removesEmptyAccounts ? 1 : 0,
        Math.min(rules.initCodeBytesMax, 0x7fffffff),
        rules.initCodeWordGas,
        rules.hasAccessLists ? 1 : 0,
      ],
      layout.rules >> 2,
    )
  }

  enter(frame: Frame, input: Uint8Array | undefined): void {
    const below = this.#top
    const isFirst = this.#depth === 0
    let words = this.#look()
    let heap: number = layout.heap
    let inputAt = 0
    let inputSize = 0
    if (!isFirst) {
      const memoryAt = words[below + (wasmFrame.memory >> 2)] as number
      heap = memoryAt + (words[below + (wasmFrame.memorySize >> 2)] as number)
    }
    if (input === undefined) {
      inputAt = words[(layout.request + 16) >> 2] as number
      inputSize = words[(layout.request + 20) >> 2] as number
    } else if (input.length > 0) {
      inputAt = heap
      inputSize = input.length
      this.#reserve(heap + inputSize)
      this.#bytes.set(input, heap)
      heap += align(inputSize)
    }
    const { bytes } = frame.code
    let codeAt = this.#copyOf(frame.code)
    if (codeAt === 0) {
      // Init code, or more codes in one transaction than there is room for: it goes with the frame.
      codeAt = heap
      heap += this.#layCode(bytes, codeAt)
    }
    words = this.#look()
    const stackBase = isFirst ? layout.stack : (words[below + (wasmFrame.stackTop >> 2)] as number)
    this.#top = (layout.frames + this.#depth * layout.frameBytes) >> 2
    this.#depth++
    const top = this.#top
    words[top + (wasmFrame.pointer >> 2)] = codeAt
    words[top + (wasmFrame.code >> 2)] = codeAt
    words[top + (wasmFrame.codeSize >> 2)] = bytes.length
    words[top + (wasmFrame.bitmap >> 2)] = codeAt + align(bytes.length + codePaddingBytes)
    words[top + (wasmFrame.stackTop >> 2)] = stackBase
    words[top + (wasmFrame.stackBase >> 2)] = stackBase
    words[top + (wasmFrame.memory >> 2)] = heap
    words[top + (wasmFrame.memorySize >> 2)] = 0
    words[top + (wasmFrame.input >> 2)] = inputAt
    words[top + (wasmFrame.inputSize >> 2)] = inputSize
    words[top + (wasmFrame.returnedSize >> 2)] = 0
    words[top + (wasmFrame.isStatic >> 2)] = frame.isStatic ? 1 : 0
    words[top + (wasmFrame.targetSize >> 2)] = 0
    words[top + (wasmFrame.outputSize >> 2)] = 0
    this.#longs[(top >> 1) + (wasmFrame.gas >> 3)] = frame.gas
    words.set(frame.account.word, top + (wasmFrame.address >> 2))
    words.set(frame.caller.word, top + (wasmFrame.caller >> 2))
    if (frame.value === 0n) clearWord(words, top + (wasmFrame.value >> 2))
    else bigintToWord(frame.value, words, top + (wasmFrame.value >> 2))
  }

  /** Where the module has this code, or 0 when it has no room for it. */
  #copyOf(code: Code): number {
    if (code.copyOwner === this && code.copyGeneration === this.#generation) return code.copyAt
    // Without a hash it is init code, which runs once.
    if (code.hash.length === 0) return 0
    if (this.#codesEnd + laidBytes(code.bytes.length) > layout.heap) return 0
    code.copyOwner = this
    code.copyGeneration = this.#generation
    code.copyAt = this.#codesEnd
    this.#codesEnd += this.#layCode(code.bytes, this.#codesEnd)
    return code.copyAt
  }

  /** Code, zeros, bitmap. @returns the bytes that they take. */
  #layCode(bytes: Uint8Array, codeAt: number): number {
    const size = laidBytes(bytes.length)
    this.#reserve(codeAt + size)
    this.#bytes.set(bytes, codeAt)
    this.#bytes.fill(0, codeAt + bytes.length, codeAt + bytes.length + codePaddingBytes)
    this.#exports.analyze(codeAt, bytes.length, codeAt + align(bytes.length + codePaddingBytes))
    return size
  }

  #reserve(bytes: number): void {
    assert(this.#exports.reserve(bytes) !== 0)
    this.#look()
  }

  run(): number {
    const exit = this.#exports.run(this.#top << 2)
    if (exit === 3 || exit === 4) this.#readRequest()
    return exit
  }

  #readRequest(): void {
    const words = this.#look()
    const { request } = this
    const at = layout.request >> 2
    request.opcode = words[at] as number
    request.gas = this.#longs[(layout.request + 8) >> 3] as bigint
    request.value = wordToBigint(words, at + 8)
    request.salt = request.opcode === 0xf5 ? wordToBytes(words, at + 24) : undefined
  }

  inputView(): Uint8Array {
    const words = this.#look()
    const at = words[(layout.request + 16) >> 2] as number
    return this.#bytes.subarray(at, at + (words[(layout.request + 20) >> 2] as number))
  }

  gasLeft(): bigint {
    this.#look()
    return this.#longs[(this.#top >> 1) + (wasmFrame.gas >> 3)] as bigint
  }

  faultPlace(): FaultPlace {
    const words = this.#look()
    const field = (offset: number): number => words[this.#top + (offset >> 2)] as number
    const stackSize = (field(wasmFrame.stackTop) - field(wasmFrame.stackBase)) >> 5
    return { opcode: this.#bytes[field(wasmFrame.pointer)] as number, stackSize }
  }

  outputView(): Uint8Array {
    const words = this.#look()
    const size = words[this.#top + (wasmFrame.outputSize >> 2)] as number
    if (size === 0) return noBytes
    const at = words[this.#top + (wasmFrame.output >> 2)] as number
    return this.#bytes.subarray(at, at + size)
  }

  /** @returns the frame that was taken off, as a pointer. */
  #pop(): number {
    const child = this.#top << 2
    this.#depth--
    this.#top = (layout.frames + (this.#depth - 1) * layout.frameBytes) >> 2
    return child
  }

  leaveCall(isSuccess: boolean, gas: bigint): void {
    const child = this.#pop()
    this.#exports.finishCall(this.#top << 2, child, isSuccess ? 1 : 0, gas)
  }

  leaveCreate(created: AccountEntry | undefined, gas: bigint, isReverted: boolean): void {
    const child = this.#pop()
    const words = this.#look()
    if (!isReverted) words[(child + wasmFrame.outputSize) >> 2] = 0
    this.#exports.finishCall(this.#top << 2, child, 0, gas)
    if (created !== undefined) {
      const stackTop = words[this.#top + (wasmFrame.stackTop >> 2)] as number
      words.set(created.word, (stackTop >> 2) - wordLength)
    }
  }

  answer(isSuccess: boolean, gas: bigint, output: Uint8Array): void {
    let at = 0
    if (output.length > 0) {
      const words = this.#look()
      const top = this.#top
      at =
        (words[top + (wasmFrame.memory >> 2)] as number) +
        (words[top + (wasmFrame.memorySize >> 2)] as number)
      this.#reserve(at + output.length)
      this.#bytes.set(output, at)
    }
    this.#exports.answer(this.#top << 2, at, output.length, isSuccess ? 1 : 0, gas)
  }

  leaveTop(): void {
    this.#depth = 0
  }

  compressBlake2(input: Uint8Array): Uint8Array {
    this.#look()
    this.#bytes.set(input, layout.blake2)
    this.#exports.blake2()
    return this.#bytes.slice(layout.blake2 + 4, layout.blake2 + 68)
  }
}

function align(size: number): number {
  return (size + 31) & ~31
}

function laidBytes(codeBytes: number): number {
  return align(codeBytes + codePaddingBytes) + align((codeBytes + 7) >> 3)
}
