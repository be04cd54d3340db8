/** Where things lie in the module's linear memory, in bytes; assembly/layout.ts is the same for the module itself. */

export const wasmLayout = {
  opcodeTable: 1024,
  context: 4096,
  rules: 4608,
  request: 4736,
  blake2: 6912,
  frames: 8192,
  frameBytes: 256,
  stack: 327_680,
  codes: 34_603_008,
  heap: 68_157_440,
} as const

/** Fields of a frame, in bytes from its start. */
export const wasmFrame = {
  pointer: 0,
  code: 4,
  codeSize: 8,
  bitmap: 12,
  stackTop: 16,
  stackBase: 20,
  memory: 24,
  memorySize: 28,
  gas: 32,
  input: 40,
  inputSize: 44,
  returned: 48,
  returnedSize: 52,
  isStatic: 56,
  target: 60,
  targetSize: 64,
  output: 68,
  outputSize: 72,
  address: 96,
  caller: 128,
  value: 160,
} as const
