/**
 * The interpreter: runs the code of one frame until it ends or asks for a call. AssemblyScript, compiled to
 * dist/evm.wasm by scripts/build-evm.js; no runtime and no garbage collector, memory is laid out in layout.ts.
 * What it answers to JavaScript is in interpreter.ts (`exits`); typescript-interpreter.ts does the same.
 */
import {
  add,
  addModulo,
  byteCount,
  copyWord,
  divide,
  divideSigned,
  equal,
  isBelow,
  isBelowSigned,
  isZero,
  modulo,
  moduloSigned,
  multiply,
  multiplyModulo,
  power,
  setWord,
  shiftLeft,
  shiftRight,
  subtract,
} from './arithmetic'
import { prepareBlake2 } from './blake2'
import {
  hostBalance,
  hostBlockHash,
  hostCallFacts,
  hostCodeCopy,
  hostCodeHash,
  hostCodeSize,
  hostLoad,
  hostLoadTransient,
  hostLog,
  hostSelfBalance,
  hostSelfDestruct,
  hostSelfDestructGas,
  hostShouldAbort,
  hostStore,
  hostStoreTransient,
} from './host'
import { keccak, prepareKeccak } from './keccak'
import {
  atAddress,
  atBitmap,
  atCaller,
  atCode,
  atCodeSize,
  atGas,
  atInput,
  atInputSize,
  atIsStatic,
  atMemory,
  atMemorySize,
  atOutput,
  atOutputSize,
  atPointer,
  atReturned,
  atReturnedSize,
  atStackBase,
  atStackTop,
  atTarget,
  atTargetSize,
  atValue,
  contextBox,
  keccakState,
  opcodeTable,
  requestBox,
  rulesBox,
} from './layout'

export { blake2 } from './blake2'

const exitStop: i32 = 0
const exitReturn: i32 = 1
const exitRevert: i32 = 2
const exitCall: i32 = 3
const exitCreate: i32 = 4
const exitSelfDestruct: i32 = 5
const exitOutOfGas: i32 = 16
const exitStackUnderflow: i32 = 17
const exitStackOverflow: i32 = 18
const exitInvalidJump: i32 = 19
const exitInvalidOpcode: i32 = 20
const exitStaticWrite: i32 = 21
const exitReturnDataOutOfBounds: i32 = 22
const exitInitCodeTooLarge: i32 = 23
const exitAborted: i32 = 24

/** Words needed by an opcode that the fork does not have: never there. */
const neverEnough: u32 = 0xffff

const abortCheckSteps: i32 = 4096
/** memoryBytesMax of interpreter.ts: what is beyond is out of gas. */
const memoryMax: u64 = 1 << 30
const coldAccountExtraGas: i64 = 2500
const coldSlotExtraGas: i64 = 2000
const callValueGas: i64 = 9000
const newAccountGas: i64 = 25000
const callStipend: i64 = 2300
const storeSentryGas: i64 = 2300
const factCold: i32 = 1
const factDead: i32 = 2
const factMissing: i32 = 4

let stepsToCheck: i32 = abortCheckSteps

export function prepare(): void {
  prepareBlake2()
  prepareKeccak()
}

/** Fills the bitmap of a code: a bit for each JUMPDEST that is not an operand of a PUSH. */
export function analyze(code: u32, size: u32, bitmap: u32): void {
  memory.fill(bitmap, 0, (size + 7) >> 3)
  for (let i: u32 = 0; i < size; i++) {
    const opcode = load<u8>(code + i) as u32
    if (opcode == 0x5b) {
      const at = bitmap + (i >> 3)
      store<u8>(at, load<u8>(at) | ((1 as u8) << ((i & 7) as u8)))
    } else if (opcode - 0x60 < 32) i += opcode - 0x5f
  }
}

/** Makes the linear memory at least so large. @returns false when the engine refuses. */
export function reserve(bytes: u32): bool {
  const pages = (memory.size() as u64) << 16
  if ((bytes as u64) <= pages) return true
  // In steps of 4 MiB, since each growth makes JavaScript's views anew.
  const missing = ((bytes as u64) - pages + 0x3fffff) >> 22 << 6
  return memory.grow(missing as i32) >= 0
}

/** Takes the child off and tells the frame below. The output stays where it is, as return data. */
export function finishCall(frame: u32, child: u32, isSuccess: u32, gas: i64): void {
  answer(frame, load<u32>(child, atOutput), load<u32>(child, atOutputSize), isSuccess, gas)
}

export function answer(frame: u32, output: u32, size: u32, isSuccess: u32, gas: i64): void {
  store<u32>(frame, output, atReturned)
  store<u32>(frame, size, atReturnedSize)
  store<i64>(frame, load<i64>(frame, atGas) + gas, atGas)
  const room = load<u32>(frame, atTargetSize)
  if (room != 0) memory.copy(load<u32>(frame, atTarget), output, min(room, size))
  const top = load<u32>(frame, atStackTop)
  setWord(top, isSuccess as u64)
  store<u32>(frame, top + 32, atStackTop)
}

/** The gas that is left after memory reaches to `end`, or -1. Grows it when it can be paid. */
function grow(frame: u32, end: u64, gas: i64): i64 {
  if (end > memoryMax) return -1
  const size = load<u32>(frame, atMemorySize)
  const words = ((end as u64) + 31) >> 5
  const wordsBefore = (size >> 5) as u64
  const cost = 3 * (words - wordsBefore) + (words * words) / 512 - (wordsBefore * wordsBefore) / 512
  const left = gas - (cost as i64)
  if (left < 0) return -1
  const start = load<u32>(frame, atMemory)
  const newSize = (words as u32) << 5
  const newEnd = start + newSize
  const returned = load<u32>(frame, atReturned)
  const returnedSize = load<u32>(frame, atReturnedSize)
  const isInWay = returnedSize != 0 && returned < newEnd
  // Gas has paid for it: to say that there is none would be another answer than other nodes give.
  if (!reserve(newEnd + (isInWay ? returnedSize : 0))) unreachable()
  if (isInWay) {
    memory.copy(newEnd, returned, returnedSize)
    store<u32>(frame, newEnd, atReturned)
  }
  memory.fill(start + size, 0, newSize - size)
  store<u32>(frame, newSize, atMemorySize)
  return left
}

/** The number, or more than any memory holds. */
// @ts-ignore: decorator
@inline
function small(at: u32): u64 {
  return (load<u64>(at, 8) | load<u64>(at, 16) | load<u64>(at, 24)) == 0
    ? load<u64>(at)
    : u64.MAX_VALUE
}

/** The gas left after memory holds `size` bytes at `offset`, or -1. */
// @ts-ignore: decorator
@inline
function use(frame: u32, offset: u64, size: u64, gas: i64): i64 {
  if (size == 0) return gas
  if (offset > memoryMax || size > memoryMax) return -1
  if (offset + size <= (load<u32>(frame, atMemorySize) as u64)) return gas
  return grow(frame, offset + size, gas)
}

// @ts-ignore: decorator
@inline
function wordsOf(size: u64): i64 {
  return ((size + 31) >> 5) as i64
}

// @ts-ignore: decorator
@inline
function storeBigEndian(to: u32, word: u32): void {
  store<u64>(to, bswap<u64>(load<u64>(word, 24)))
  store<u64>(to, bswap<u64>(load<u64>(word, 16)), 8)
  store<u64>(to, bswap<u64>(load<u64>(word, 8)), 16)
  store<u64>(to, bswap<u64>(load<u64>(word)), 24)
}

// @ts-ignore: decorator
@inline
function loadBigEndian(word: u32, from: u32): void {
  const first = load<u64>(from)
  const second = load<u64>(from, 8)
  store<u64>(word, bswap<u64>(load<u64>(from, 24)))
  store<u64>(word, bswap<u64>(load<u64>(from, 16)), 8)
  store<u64>(word, bswap<u64>(second), 16)
  store<u64>(word, bswap<u64>(first), 24)
}

/** Bytes of a source, zeros beyond its end. */
function copyPadded(to: u32, source: u32, sourceSize: u32, from: u64, size: u32): void {
  let count: u32 = 0
  if (from < (sourceSize as u64)) {
    count = min(size, sourceSize - (from as u32))
    memory.copy(to, source + (from as u32), count)
  }
  memory.fill(to + count, 0, size - count)
}

/** The last `size` bytes of the operand that ends before `end`, below 2^64. */
// @ts-ignore: decorator
@inline
function operand(end: u32, size: u32): u64 {
  return bswap<u64>(load<u64>(end - 8)) & (u64.MAX_VALUE >> ((8 - size) << 3))
}

function pushLong(to: u32, start: u32, size: u32): void {
  setWord(to, 0)
  let end = start + size
  let left = size
  let at = to
  while (left >= 8) {
    store<u64>(at, bswap<u64>(load<u64>(end - 8)))
    at += 8
    end -= 8
    left -= 8
  }
  if (left > 0) store<u64>(at, operand(end, left))
}

/** Where the code goes on, or 0 when that is no JUMPDEST. */
// @ts-ignore: decorator
@inline
function jumpTarget(word: u32, code: u32, codeSize: u32, bitmap: u32): u32 {
  const to = small(word)
  if (to >= (codeSize as u64)) return 0
  const at = to as u32
  return ((load<u8>(bitmap + (at >> 3)) as u32) & (1 << (at & 7))) == 0 ? 0 : code + at
}

// @ts-ignore: decorator
@inline
function context(to: u32, index: u32): void {
  copyWord(contextBox + (index << 5), to)
}

// @ts-ignore: decorator
@inline
function leave(frame: u32, pointer: u32, top: u32, gas: i64, exit: i32): i32 {
  store<u32>(frame, pointer, atPointer)
  store<u32>(frame, top, atStackTop)
  store<i64>(frame, gas, atGas)
  return exit
}

// @ts-ignore: decorator
@inline
function halt(frame: u32, exit: i32, steps: i32): i32 {
  stepsToCheck = steps
  store<u32>(frame, 0, atOutputSize)
  return exit
}

/** The same, and says where: which opcode it was and how many words there were decide what the fault is called. */
// @ts-ignore: decorator
@inline
function haltAt(frame: u32, pointer: u32, top: u32, exit: i32, steps: i32): i32 {
  store<u32>(frame, pointer, atPointer)
  store<u32>(frame, top, atStackTop)
  return halt(frame, exit, steps)
}

export function run(frame: u32): i32 {
  let ip = load<u32>(frame, atPointer)
  let sp = load<u32>(frame, atStackTop)
  let gas = load<i64>(frame, atGas)
  const stackBase = load<u32>(frame, atStackBase)
  const code = load<u32>(frame, atCode)
  const codeSize = load<u32>(frame, atCodeSize)
  const bitmap = load<u32>(frame, atBitmap)
  const base = load<u32>(frame, atMemory)
  let steps = stepsToCheck
  while (true) {
    if (--steps == 0) {
      steps = abortCheckSteps
      if (hostShouldAbort() != 0) return halt(frame, exitAborted, steps)
    }
    const opcode = load<u8>(ip) as u32
    const entry = load<u64>(opcodeTable + (opcode << 3))
    const depth = (sp - stackBase) >> 5
    const needed = (entry >> 32) as u32 & 0xffff
    if (depth - needed > ((entry >> 48) as u32)) {
      let exit = depth < needed ? exitStackUnderflow : exitStackOverflow
      if (needed == neverEnough) exit = exitInvalidOpcode
      return haltAt(frame, ip, sp, exit, steps)
    }
    gas -= (entry & 0xffffffff) as i64
    if (gas < 0) return halt(frame, exitOutOfGas, steps)
    ip++
    switch (opcode) {
      case 0x00: {
        store<u32>(frame, 0, atOutputSize)
        stepsToCheck = steps
        return leave(frame, ip, sp, gas, exitStop)
      }
      case 0x01:
        sp -= 32
        add(sp, sp - 32)
        break
      case 0x02:
        sp -= 32
        multiply(sp, sp - 32)
        break
      case 0x03:
        sp -= 32
        subtract(sp, sp - 32)
        break
      case 0x04:
        sp -= 32
        divide(sp, sp - 32)
        break
      case 0x05:
        sp -= 32
        divideSigned(sp, sp - 32)
        break
      case 0x06:
        sp -= 32
        modulo(sp, sp - 32)
        break
      case 0x07:
        sp -= 32
        moduloSigned(sp, sp - 32)
        break
      case 0x08:
        sp -= 64
        addModulo(sp + 32, sp, sp - 32)
        break
      case 0x09:
        sp -= 64
        multiplyModulo(sp + 32, sp, sp - 32)
        break
      case 0x0a: {
        sp -= 32
        gas -= (byteCount(sp - 32) * load<u32>(rulesBox)) as i64
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        power(sp, sp - 32)
        break
      }
      case 0x0b: {
        sp -= 32
        const last = small(sp)
        if (last < 31) {
          const at = sp - 32 + (last as u32)
          memory.fill(at + 1, (load<i8>(at) >> 7) as u8, 31 - (last as u32))
        }
        break
      }
      case 0x10:
        sp -= 32
        setWord(sp - 32, isBelow(sp, sp - 32) as u64)
        break
      case 0x11:
        sp -= 32
        setWord(sp - 32, isBelow(sp - 32, sp) as u64)
        break
      case 0x12:
        sp -= 32
        setWord(sp - 32, isBelowSigned(sp, sp - 32) as u64)
        break
      case 0x13:
        sp -= 32
        setWord(sp - 32, isBelowSigned(sp - 32, sp) as u64)
        break
      case 0x14:
        sp -= 32
        setWord(sp - 32, equal(sp, sp - 32) as u64)
        break
      case 0x15:
        setWord(sp - 32, isZero(sp - 32) as u64)
        break
      case 0x16:
        sp -= 32
        for (let i: u32 = 0; i < 32; i += 8) {
          store<u64>(sp - 32 + i, load<u64>(sp - 32 + i) & load<u64>(sp + i))
        }
        break
      case 0x17:
        sp -= 32
        for (let i: u32 = 0; i < 32; i += 8) {
          store<u64>(sp - 32 + i, load<u64>(sp - 32 + i) | load<u64>(sp + i))
        }
        break
      case 0x18:
        sp -= 32
        for (let i: u32 = 0; i < 32; i += 8) {
          store<u64>(sp - 32 + i, load<u64>(sp - 32 + i) ^ load<u64>(sp + i))
        }
        break
      case 0x19:
        for (let i: u32 = 0; i < 32; i += 8) store<u64>(sp - 32 + i, ~load<u64>(sp - 32 + i))
        break
      case 0x1a: {
        sp -= 32
        const index = small(sp)
        setWord(sp - 32, index < 32 ? (load<u8>(sp - 1 - (index as u32)) as u64) : 0)
        break
      }
      case 0x1b: {
        sp -= 32
        const bits = small(sp)
        if (bits > 255) setWord(sp - 32, 0)
        else shiftLeft(sp - 32, bits as u32)
        break
      }
      case 0x1c: {
        sp -= 32
        const bits = small(sp)
        if (bits > 255) setWord(sp - 32, 0)
        else shiftRight(sp - 32, bits as u32, 0)
        break
      }
      case 0x1d: {
        sp -= 32
        const fill = (load<i64>(sp - 8) >> 63) as u64
        shiftRight(sp - 32, min<u64>(small(sp), 255) as u32, fill)
        break
      }
      case 0x20: {
        sp -= 32
        const offset = small(sp)
        const size = small(sp - 32)
        gas = use(frame, offset, size, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        gas -= 6 * wordsOf(size)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        keccak(base + (offset as u32), size as u32)
        loadBigEndian(sp - 32, keccakState)
        break
      }
      case 0x30:
        copyWord(frame + atAddress, sp)
        sp += 32
        break
      case 0x31:
        if (hostBalance(sp - 32) != 0) gas -= coldAccountExtraGas
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        break
      case 0x32:
        context(sp, 0)
        sp += 32
        break
      case 0x33:
        copyWord(frame + atCaller, sp)
        sp += 32
        break
      case 0x34:
        copyWord(frame + atValue, sp)
        sp += 32
        break
      case 0x35: {
        const from = small(sp - 32)
        const size = load<u32>(frame, atInputSize)
        const input = load<u32>(frame, atInput)
        if (from < 0x80000000 && (from as u32) + 32 <= size) {
          loadBigEndian(sp - 32, input + (from as u32))
        } else {
          // Beyond the end: through the hash's state, which nobody needs between hashes.
          copyPadded(keccakState, input, size, from, 32)
          loadBigEndian(sp - 32, keccakState)
        }
        break
      }
      case 0x36:
        setWord(sp, load<u32>(frame, atInputSize) as u64)
        sp += 32
        break
      case 0x38:
        setWord(sp, codeSize as u64)
        sp += 32
        break
      case 0x37:
      case 0x39:
      case 0x3e: {
        sp -= 96
        const to = small(sp + 64)
        const from = small(sp + 32)
        const size = small(sp)
        let source = code
        let sourceSize = codeSize
        if (opcode == 0x37) {
          sourceSize = load<u32>(frame, atInputSize)
        } else if (opcode == 0x3e) {
          sourceSize = load<u32>(frame, atReturnedSize)
          if (from > (sourceSize as u64) || size > (sourceSize as u64) - from) {
            return halt(frame, exitReturnDataOutOfBounds, steps)
          }
        }
        gas = use(frame, to, size, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        gas -= 3 * wordsOf(size)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        // After the memory grew, since return data may have moved.
        if (opcode == 0x37) source = load<u32>(frame, atInput)
        else if (opcode == 0x3e) source = load<u32>(frame, atReturned)
        if (size != 0) copyPadded(base + (to as u32), source, sourceSize, from, size as u32)
        break
      }
      case 0x3a:
        context(sp, 1)
        sp += 32
        break
      case 0x3b:
        if (hostCodeSize(sp - 32) != 0) gas -= coldAccountExtraGas
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        break
      case 0x3c: {
        sp -= 128
        const to = small(sp + 64)
        const from = small(sp + 32)
        const size = small(sp)
        gas = use(frame, to, size, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        gas -= 3 * wordsOf(size)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        const start = min<u64>(from, 0x7fffffff) as u32
        if (hostCodeCopy(sp + 96, base + (to as u32), start, size as u32) != 0) {
          gas -= coldAccountExtraGas
        }
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        break
      }
      case 0x3d:
        setWord(sp, load<u32>(frame, atReturnedSize) as u64)
        sp += 32
        break
      case 0x3f:
        if (hostCodeHash(sp - 32) != 0) gas -= coldAccountExtraGas
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        break
      case 0x40:
        hostBlockHash(sp - 32)
        break
      case 0x41:
      case 0x42:
      case 0x43:
      case 0x44:
      case 0x45:
      case 0x46:
        context(sp, opcode - 0x3f)
        sp += 32
        break
      case 0x47:
        hostSelfBalance(sp)
        sp += 32
        break
      case 0x48:
        context(sp, 8)
        sp += 32
        break
      case 0x49:
        setWord(sp - 32, 0)
        break
      case 0x4a:
        context(sp, 9)
        sp += 32
        break
      case 0x50:
        sp -= 32
        break
      case 0x51: {
        const offset = small(sp - 32)
        gas = use(frame, offset, 32, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        loadBigEndian(sp - 32, base + (offset as u32))
        break
      }
      case 0x52: {
        sp -= 64
        const offset = small(sp + 32)
        gas = use(frame, offset, 32, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        storeBigEndian(base + (offset as u32), sp)
        break
      }
      case 0x53: {
        sp -= 64
        const offset = small(sp + 32)
        gas = use(frame, offset, 1, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        store<u8>(base + (offset as u32), load<u8>(sp))
        break
      }
      case 0x54:
        if (hostLoad(sp - 32) != 0) {
          gas -= coldSlotExtraGas
          if (gas < 0) return halt(frame, exitOutOfGas, steps)
        }
        break
      case 0x55: {
        if (load<u32>(frame, atIsStatic) != 0) return halt(frame, exitStaticWrite, steps)
        if (load<u32>(rulesBox, 4) != 0 && gas <= storeSentryGas) {
          return halt(frame, exitOutOfGas, steps)
        }
        sp -= 64
        gas -= hostStore(sp + 32, sp) as i64
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        break
      }
      case 0x56:
        sp -= 32
        ip = jumpTarget(sp, code, codeSize, bitmap)
        if (ip == 0) return halt(frame, exitInvalidJump, steps)
        break
      case 0x57:
        sp -= 64
        if (isZero(sp)) break
        ip = jumpTarget(sp + 32, code, codeSize, bitmap)
        if (ip == 0) return halt(frame, exitInvalidJump, steps)
        break
      case 0x58:
        setWord(sp, (ip - 1 - code) as u64)
        sp += 32
        break
      case 0x59:
        setWord(sp, load<u32>(frame, atMemorySize) as u64)
        sp += 32
        break
      case 0x5a:
        setWord(sp, gas as u64)
        sp += 32
        break
      case 0x5b:
        break
      case 0x5c:
        hostLoadTransient(sp - 32)
        break
      case 0x5d:
        if (load<u32>(frame, atIsStatic) != 0) return halt(frame, exitStaticWrite, steps)
        sp -= 64
        hostStoreTransient(sp + 32, sp)
        break
      case 0x5e: {
        sp -= 96
        const to = small(sp + 64)
        const from = small(sp + 32)
        const size = small(sp)
        gas = use(frame, max(to, from), size, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        gas -= 3 * wordsOf(size)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        if (size != 0) memory.copy(base + (to as u32), base + (from as u32), size as u32)
        break
      }
      case 0x5f:
        setWord(sp, 0)
        sp += 32
        break
      case 0x60:
        setWord(sp, load<u8>(ip) as u64)
        sp += 32
        ip += 1
        break
      case 0x61:
        setWord(sp, (bswap<u16>(load<u16>(ip)) as u64))
        sp += 32
        ip += 2
        break
      case 0x62:
      case 0x63:
      case 0x64:
      case 0x65:
      case 0x66:
      case 0x67: {
        const size = opcode - 0x5f
        ip += size
        setWord(sp, operand(ip, size))
        sp += 32
        break
      }
      case 0x68:
      case 0x69:
      case 0x6a:
      case 0x6b:
      case 0x6c:
      case 0x6d:
      case 0x6e:
      case 0x6f:
      case 0x70:
      case 0x71:
      case 0x72:
      case 0x73:
      case 0x74:
      case 0x75:
      case 0x76:
      case 0x77:
      case 0x78:
      case 0x79:
      case 0x7a:
      case 0x7b:
      case 0x7c:
      case 0x7d:
      case 0x7e: {
        const size = opcode - 0x5f
        pushLong(sp, ip, size)
        ip += size
        sp += 32
        break
      }
      case 0x7f:
        loadBigEndian(sp, ip)
        ip += 32
        sp += 32
        break
      case 0x80:
      case 0x81:
      case 0x82:
      case 0x83:
      case 0x84:
      case 0x85:
      case 0x86:
      case 0x87:
      case 0x88:
      case 0x89:
      case 0x8a:
      case 0x8b:
      case 0x8c:
      case 0x8d:
      case 0x8e:
      case 0x8f:
        copyWord(sp - ((opcode - 0x7f) << 5), sp)
        sp += 32
        break
      case 0x90:
      case 0x91:
      case 0x92:
      case 0x93:
      case 0x94:
      case 0x95:
      case 0x96:
      case 0x97:
      case 0x98:
      case 0x99:
      case 0x9a:
      case 0x9b:
      case 0x9c:
      case 0x9d:
      case 0x9e:
      case 0x9f: {
        const top = sp - 32
        const other = top - ((opcode - 0x8f) << 5)
        for (let i: u32 = 0; i < 32; i += 8) {
          const kept = load<u64>(top + i)
          store<u64>(top + i, load<u64>(other + i))
          store<u64>(other + i, kept)
        }
        break
      }
      case 0xa0:
      case 0xa1:
      case 0xa2:
      case 0xa3:
      case 0xa4: {
        if (load<u32>(frame, atIsStatic) != 0) return halt(frame, exitStaticWrite, steps)
        const topicCount = opcode - 0xa0
        const offset = small(sp - 32)
        const size = small(sp - 64)
        sp -= 64 + (topicCount << 5)
        gas = use(frame, offset, size, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        gas -= 8 * (size as i64)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        hostLog(topicCount, sp, base + (offset as u32), size as u32)
        break
      }
      case 0xf0:
      case 0xf5: {
        if (load<u32>(frame, atIsStatic) != 0) return halt(frame, exitStaticWrite, steps)
        const offset = small(sp - 64)
        const size = small(sp - 96)
        if (size > (load<u32>(rulesBox, 16) as u64)) return halt(frame, exitInitCodeTooLarge, steps)
        gas = use(frame, offset, size, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        const wordGas = (load<u32>(rulesBox, 20) as i64) + (opcode == 0xf5 ? 6 : 0)
        gas -= wordsOf(size) * wordGas
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        const given = load<u32>(rulesBox, 8) != 0 ? gas - gas / 64 : gas
        gas -= given
        copyWord(sp - 32, requestBox + 32)
        if (opcode == 0xf5) copyWord(sp - 128, requestBox + 96)
        sp -= opcode == 0xf5 ? 128 : 96
        store<u32>(requestBox, opcode)
        store<i64>(requestBox, given, 8)
        store<u32>(requestBox, base + (offset as u32), 16)
        store<u32>(requestBox, size as u32, 20)
        store<u32>(frame, 0, atReturnedSize)
        store<u32>(frame, 0, atTargetSize)
        stepsToCheck = steps
        return leave(frame, ip, sp, gas, exitCreate)
      }
      case 0xf1:
      case 0xf2:
      case 0xf4:
      case 0xfa: {
        const takesValue = opcode == 0xf1 || opcode == 0xf2
        let at = sp - 64
        const wanted = small(sp - 32)
        const address = at
        let hasValue = false
        if (takesValue) {
          at -= 32
          hasValue = !isZero(at)
          copyWord(at, requestBox + 32)
        } else setWord(requestBox + 32, 0)
        const inputOffset = small(at - 32)
        const inputSize = small(at - 64)
        const outputOffset = small(at - 96)
        const outputSize = small(at - 128)
        if (hasValue && opcode == 0xf1 && load<u32>(frame, atIsStatic) != 0) {
          return halt(frame, exitStaticWrite, steps)
        }
        gas = use(frame, inputOffset, inputSize, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        gas = use(frame, outputOffset, outputSize, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        const facts = hostCallFacts(address)
        if ((facts & factCold) != 0) gas -= coldAccountExtraGas
        if (hasValue) gas -= callValueGas
        if (opcode == 0xf1) {
          const makesAccount =
            load<u32>(rulesBox, 12) != 0
              ? (facts & factDead) != 0 && hasValue
              : (facts & factMissing) != 0
          if (makesAccount) gas -= newAccountGas
        }
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        let given = wanted
        const isCapped = load<u32>(rulesBox, 8) != 0
        if (isCapped) given = min<u64>(wanted, (gas - gas / 64) as u64)
        if (given > (gas as u64)) return halt(frame, exitOutOfGas, steps)
        gas -= given as i64
        sp = at - 128
        store<u32>(requestBox, opcode)
        store<i64>(requestBox, (given as i64) + (hasValue ? callStipend : 0), 8)
        store<u32>(requestBox, base + (inputSize == 0 ? 0 : (inputOffset as u32)), 16)
        store<u32>(requestBox, inputSize as u32, 20)
        store<u32>(frame, base + (outputOffset as u32), atTarget)
        store<u32>(frame, outputSize as u32, atTargetSize)
        store<u32>(frame, 0, atReturnedSize)
        stepsToCheck = steps
        return leave(frame, ip, sp, gas, exitCall)
      }
      case 0xf3:
      case 0xfd: {
        const offset = small(sp - 32)
        const size = small(sp - 64)
        sp -= 64
        gas = use(frame, offset, size, gas)
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        store<u32>(frame, base + (size == 0 ? 0 : (offset as u32)), atOutput)
        store<u32>(frame, size as u32, atOutputSize)
        stepsToCheck = steps
        return leave(frame, ip, sp, gas, opcode == 0xf3 ? exitReturn : exitRevert)
      }
      case 0xff: {
        if (load<u32>(frame, atIsStatic) != 0) return halt(frame, exitStaticWrite, steps)
        sp -= 32
        gas -= hostSelfDestructGas(sp) as i64
        if (gas < 0) return halt(frame, exitOutOfGas, steps)
        hostSelfDestruct(sp)
        store<u32>(frame, 0, atOutputSize)
        stepsToCheck = steps
        return leave(frame, ip, sp, gas, exitSelfDestruct)
      }
      default:
        return halt(frame, exitInvalidOpcode, steps)
    }
  }
}
