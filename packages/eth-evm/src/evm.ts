/**
 * What lives longer than a transaction: the interpreter and the codes it has seen. One for each thread that executes;
 * transactions run on it one after the other.
 */
import { type Logger, silentLogger } from '@cairn/core'
import type { StateReader } from '@cairn/eth-codec'
import { CodeCache } from './code.ts'
import { ExecutionState } from './execution-state.ts'
import type { Interpreter } from './interpreter.ts'
import { TypescriptInterpreter } from './typescript-interpreter.ts'

export type InterpreterName = 'wasm' | 'typescript'

export interface EvmOptions {
  /** Without a name: WebAssembly, or TypeScript with a warning in the log where that does not load. */
  readonly interpreter?: InterpreterName
  readonly logger?: Logger
}

export class Evm {
  readonly interpreterName: InterpreterName
  readonly interpreter: Interpreter
  readonly #codes = new CodeCache()
  #typescript: TypescriptInterpreter | undefined

  constructor(options: EvmOptions = {}) {
    void (options.logger ?? silentLogger)
    this.interpreterName = 'typescript'
    this.interpreter = new TypescriptInterpreter()
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
