/**
 * What lives longer than a transaction: the interpreter and the codes it has seen. One for each thread that executes;
 * transactions run on it one after the other.
 */
import { readFileSync } from 'node:fs'
import { type Logger, silentLogger } from '@cairn/core'
import type { StateReader } from '@cairn/eth-codec'
import { CodeCache } from './code.ts'
import { ExecutionError } from './errors.ts'
import { ExecutionState } from './execution-state.ts'
import type { Interpreter } from './interpreter.ts'
import { TypescriptInterpreter } from './typescript-interpreter.ts'
import { WasmInterpreter } from './wasm-interpreter.ts'

export type InterpreterName = 'wasm' | 'typescript'

export interface EvmOptions {
  /** Without a name: WebAssembly, or TypeScript with a warning in the log where that does not load. */
  readonly interpreter?: InterpreterName
  readonly logger?: Logger
  /** Codes kept from one state to the next; 64 MiB of them unless told. */
  readonly codeBytesMax?: number
}

export class Evm {
  readonly interpreterName: InterpreterName
  readonly interpreter: Interpreter
  readonly #codes: CodeCache
  #typescript: TypescriptInterpreter | undefined

  constructor(options: EvmOptions = {}) {
    const { interpreter, logger = silentLogger, codeBytesMax } = options
    this.#codes = new CodeCache(codeBytesMax)
    const wasm = interpreter === 'typescript' ? undefined : loadWasm(interpreter === 'wasm', logger)
    this.interpreterName = wasm === undefined ? 'typescript' : 'wasm'
    this.interpreter = wasm ?? new TypescriptInterpreter()
  }

  /** The state for a block, or for a call, over what is committed. */
  createState(reader: StateReader): ExecutionState {
    return new ExecutionState(reader, this.#codes)
  }

  /** The one that tells a tracer of steps. */
  get steppingInterpreter(): Interpreter {
    this.#typescript ??= new TypescriptInterpreter()
    return this.#typescript
  }
}

/** Beside this file's folder, whether that is the source or what was built of it. */
const moduleUrl = new URL('../dist/evm.wasm', import.meta.url)

function loadWasm(isNeeded: boolean, logger: Logger): WasmInterpreter | undefined {
  try {
    return new WasmInterpreter(readFileSync(moduleUrl))
  } catch (cause) {
    if (isNeeded) {
      throw new ExecutionError(
        { code: 'INTERPRETER_MISSING' },
        {
          shortMessage: 'The WebAssembly interpreter does not load.',
          metaMessages: [
            'Run `npm run build`, which compiles it, or take the TypeScript interpreter.',
          ],
          cause,
        },
      )
    }
    logger.log('warn', 'EVM without WebAssembly, many times slower: run npm run build', {
      cause: cause instanceof Error ? cause.message : String(cause),
    })
    return undefined
  }
}
