/**
 * Where things lie in the linear memory; src/wasm-layout.ts has the same numbers for JavaScript.
 * From the bottom: tables and boxes, frames, the stack of all frames, codes, then the memory of frames.
 *
 *   frames below │ memory of the caller │ memory of the callee │ free
 *                                       ▲ return data of the caller lies here when the callee is gone
 */

/** By opcode: gas u32, words needed u16, how many more there may be u16. */
export const opcodeTable: u32 = 1024
/** Ten words that hold for a transaction: host.ts, contextWords. */
export const contextBox: u32 = 4096
/** i32: gas of a byte of exponent, SSTORE's sentry, 63/64, EIP-161, init code bytes, gas of its words, EIP-2929. */
export const rulesBox: u32 = 4608
/** opcode i32, gas i64 at 8, input u32 at 16 and its size at 20, value, address and salt as words at 32, 64, 96. */
export const requestBox: u32 = 4736
export const keccakConstants: u32 = 5120
export const keccakState: u32 = 5376
/** Digits of long division and powers. */
export const scratch: u32 = 6144
export const blakeSchedule: u32 = 6656
export const blakeBox: u32 = 6912
export const framesBase: u32 = 8192
export const frameBytes: u32 = 256
export const stackStart: u32 = 327680
export const codesStart: u32 = 34603008
export const heapStart: u32 = 68157440

// Fields of a frame.
export const atPointer: u32 = 0
export const atCode: u32 = 4
export const atCodeSize: u32 = 8
export const atBitmap: u32 = 12
export const atStackTop: u32 = 16
export const atStackBase: u32 = 20
export const atMemory: u32 = 24
export const atMemorySize: u32 = 28
export const atGas: u32 = 32
export const atInput: u32 = 40
export const atInputSize: u32 = 44
export const atReturned: u32 = 48
export const atReturnedSize: u32 = 52
export const atIsStatic: u32 = 56
export const atTarget: u32 = 60
export const atTargetSize: u32 = 64
export const atOutput: u32 = 68
export const atOutputSize: u32 = 72
export const atAddress: u32 = 96
export const atCaller: u32 = 128
export const atValue: u32 = 160
