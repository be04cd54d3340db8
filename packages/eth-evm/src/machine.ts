/**
 * Calls and creations over an interpreter: the stack of frames, transfers, built-in contracts, the rules for new code.
 * A loop and not a recursion, so that 1024 nested calls need no more of the native stack than one.
 */
import { encodeRlp, keccak256, numberToBytes } from '@cairn/eth-codec'
import { Code, emptyCode } from './code.ts'
import type { AccountEntry, Checkpoint } from './execution-state.ts'
import { type Host, isPrecompile } from './host.ts'
import {
  type CallRequest,
  exits,
  type Fault,
  type FaultPlace,
  type Frame,
  faultOfExit,
  type Interpreter,
} from './interpreter.ts'
import { runPrecompile } from './precompiles.ts'
import type { TraceCall } from './tracer.ts'

/** Source: yellow paper, 9.4.3: a frame deeper than this is not entered. */
export const callDepthMax = 1024
/** EIP-2681. */
export const nonceMax: bigint = 2n ** 64n - 1n
/** Per byte of new code. Source: yellow paper, appendix G. */
const codeDepositGas = 200n

const noBytes = new Uint8Array(0)

export interface Message {
  readonly caller: AccountEntry
  /** Undefined makes a contract of `data`. */
  readonly target: AccountEntry | undefined
  readonly value: bigint
  readonly data: Uint8Array
  readonly gas: bigint
}

export type Outcome =
  | {
      readonly kind: 'success'
      readonly gasLeft: bigint
      readonly output: Uint8Array
      readonly created: AccountEntry | undefined
    }
  | { readonly kind: 'revert'; readonly gasLeft: bigint; readonly output: Uint8Array }
  | {
      readonly kind: 'fault'
      readonly gasLeft: bigint
      readonly fault: Fault
      readonly faultPlace: FaultPlace | undefined
    }
  | { readonly kind: 'aborted' }

/** What a call came to without a frame of its own. */
interface Answer {
  readonly gas: bigint
  readonly output: Uint8Array
  readonly fault: Fault | undefined
}

interface CallPlan {
  readonly opcode: TraceCall['opcode']
  readonly caller: AccountEntry
  /** Whose storage the code works on. */
  readonly account: AccountEntry
  /** Whose code runs. */
  readonly target: AccountEntry
  readonly value: bigint
  readonly gas: bigint
  readonly isStatic: boolean
  readonly transfers: boolean
  /** Undefined when it lies with the interpreter. */
  readonly input: Uint8Array | undefined
}

const opcodeNames: Readonly<Record<number, TraceCall['opcode']>> = {
  240: 'CREATE',
  241: 'CALL',
  242: 'CALLCODE',
  244: 'DELEGATECALL',
  245: 'CREATE2',
  250: 'STATICCALL',
}

export class Machine {
  readonly #interpreter: Interpreter
  readonly #host: Host
  readonly #frames: Frame[] = []

  constructor(interpreter: Interpreter, host: Host) {
    this.#interpreter = interpreter
    this.#host = host
  }

  /** Runs a message to its end. The caller's nonce was raised for a call; a creation raises it here. */
  run(message: Message): Outcome {
    const { caller, target, value, data, gas } = message
    this.#interpreter.begin(this.#host)
    const answer =
      target === undefined
        ? this.#enterCreate('CREATE', caller, value, gas, data, undefined)
        : this.#enterCall({
            opcode: 'CALL',
            caller,
            account: target,
            target,
            value,
            gas,
            isStatic: false,
            transfers: true,
            input: data,
          })
    if (answer !== undefined) {
      if (answer.fault !== undefined) {
        return { kind: 'fault', gasLeft: answer.gas, fault: answer.fault, faultPlace: undefined }
      }
      return { kind: 'success', gasLeft: answer.gas, output: answer.output, created: undefined }
    }
    return this.#runFrames()
  }

  #runFrames(): Outcome {
    const interpreter = this.#interpreter
    for (;;) {
      const frame = this.#host.frame
      const exit = interpreter.run()
      switch (exit) {
        case exits.call:
          this.#call(frame, interpreter.request)
          continue
        case exits.create:
          this.#create(frame, interpreter.request)
          continue
        case exits.aborted:
          this.#host.state.revertTo((this.#frames[0] as Frame).mark)
          return { kind: 'aborted' }
        default: {
          const outcome = this.#finish(frame, exit)
          if (outcome !== undefined) return outcome
        }
      }
    }
  }

  /** Ends the top frame. @returns the outcome of the whole when it was the last. */
  #finish(frame: Frame, exit: number): Outcome | undefined {
    const interpreter = this.#interpreter
    const { state, tracer } = this.#host
    const isReverted = exit === exits.revert
    let gasLeft = interpreter.gasLeft()
    let fault = faultOfExit(exit)
    const faultPlace = fault === undefined ? undefined : interpreter.faultPlace()
    if (frame.isCreate && fault === undefined && !isReverted) {
      const deposit = this.#depositCode(frame, gasLeft)
      gasLeft = deposit.gas
      fault = deposit.fault
    }
    const isSuccess = fault === undefined && !isReverted
    if (!isSuccess) state.revertTo(frame.mark)
    if (fault !== undefined) gasLeft = 0n
    tracer?.onExit?.({
      gasUsed: frame.gas - gasLeft,
      output: fault === undefined ? interpreter.outputView().slice() : noBytes,
      error: fault ?? (isReverted ? 'REVERT' : undefined),
      faultPlace,
    })
    this.#frames.pop()
    const below = this.#frames.at(-1)
    if (below !== undefined) {
      this.#host.frame = below
      if (frame.isCreate) {
        interpreter.leaveCreate(isSuccess ? frame.account : undefined, gasLeft, isReverted)
      } else interpreter.leaveCall(isSuccess, gasLeft)
      return undefined
    }
    const output = fault === undefined ? interpreter.outputView().slice() : noBytes
    interpreter.leaveTop()
    if (fault !== undefined) return { kind: 'fault', gasLeft, fault, faultPlace }
    if (isReverted) return { kind: 'revert', gasLeft, output }
    const created = frame.isCreate ? frame.account : undefined
    return { kind: 'success', gasLeft, output, created }
  }

  /** The output of init code becomes the contract's code, if it may and is paid for. */
  #depositCode(frame: Frame, gas: bigint): { gas: bigint; fault: Fault | undefined } {
    const { rules, state } = this.#host
    const code = this.#interpreter.outputView()
    if (code.length > rules.codeBytesMax) return { gas: 0n, fault: 'CODE_TOO_LARGE' }
    if (rules.refusesCodeEf && code[0] === 0xef) return { gas: 0n, fault: 'CODE_BEGINS_WITH_EF' }
    const cost = codeDepositGas * BigInt(code.length)
    if (cost > gas) {
      // Before EIP-2 the contract stays, without code, and keeps its gas.
      if (!rules.failsUnpaidDeposit) return { gas, fault: undefined }
      return { gas: 0n, fault: 'CODE_DEPOSIT_OUT_OF_GAS' }
    }
    if (code.length > 0) {
      const bytes = code.slice()
      state.setCode(frame.account, bytes, keccak256(bytes))
    }
    return { gas: gas - cost, fault: undefined }
  }

  #call(frame: Frame, request: CallRequest): void {
    const { opcode, gas, value } = request
    const target = request.target as AccountEntry
    const isCode = opcode === 0xf2 || opcode === 0xf4
    const answer = this.#enterCall({
      opcode: opcodeNames[opcode] ?? 'CALL',
      caller: opcode === 0xf4 ? frame.caller : frame.account,
      account: isCode ? frame.account : target,
      target,
      value: opcode === 0xf4 ? frame.value : value,
      gas,
      isStatic: frame.isStatic || opcode === 0xfa,
      transfers: opcode === 0xf1 || opcode === 0xfa,
      input: undefined,
    })
    if (answer === undefined) return
    this.#interpreter.answer(answer.fault === undefined, answer.gas, answer.output)
  }

  /** @returns undefined when a frame was entered. */
  #enterCall(plan: CallPlan): Answer | undefined {
    const { opcode, account, target, value, gas, transfers } = plan
    const { state, rules, tracer } = this.#host
    const depth = this.#frames.length
    const refuse = (fault: Fault): Answer => ({ gas, output: noBytes, fault })
    if (depth > callDepthMax) return refuse('DEPTH')
    const pays = value > 0n && opcode !== 'DELEGATECALL'
    if (pays && plan.caller.balance < value) return refuse('INSUFFICIENT_BALANCE')
    if (tracer?.onEnter) {
      // A DELEGATECALL is told from the account it works for.
      const from = opcode === 'DELEGATECALL' ? account : plan.caller
      tracer.onEnter({
        opcode,
        depth,
        from: from.address,
        to: target.address,
        value,
        gas,
        input: (plan.input ?? this.#interpreter.inputView()).slice(),
      })
    }
    const fail = (fault: Fault, gasLeft: bigint): Answer => {
      const gasUsed = gas - gasLeft
      tracer?.onExit?.({ gasUsed, output: noBytes, error: fault, faultPlace: undefined })
      return { gas: gasLeft, output: noBytes, fault }
    }
    const succeed = (gasLeft: bigint, output: Uint8Array): Answer => {
      const gasUsed = gas - gasLeft
      tracer?.onExit?.({ gasUsed, output, error: undefined, faultPlace: undefined })
      return { gas: gasLeft, output, fault: undefined }
    }
    const mark = state.mark()
    const isBuiltIn = isPrecompile(target, rules)
    if (transfers) {
      const isNothing = !target.exists && !isBuiltIn && rules.removesEmptyAccounts && value === 0n
      if (isNothing && opcode === 'CALL') return succeed(gas, noBytes)
      if (value > 0n) state.setBalance(plan.caller, plan.caller.balance - value)
      state.addBalance(target, value)
    }
    if (isBuiltIn) {
      const input = plan.input ?? this.#interpreter.inputView()
      const result = runPrecompile(target.word[0] as number, input, gas, rules, this.#interpreter)
      if (result.isSuccess) return succeed(gas - result.gasUsed, result.output)
      state.revertTo(mark)
      return fail(result.fault, 0n)
    }
    const code = state.codeOf(target)
    if (code === emptyCode) return succeed(gas, noBytes)
    const { caller, isStatic, input } = plan
    this.#push({ depth, account, caller, value, code, isStatic, isCreate: false, mark, gas }, input)
    return undefined
  }

  #create(frame: Frame, request: CallRequest): void {
    const { gas, value, salt, opcode } = request
    const initCode = this.#interpreter.inputView()
    const name = opcode === 0xf5 ? 'CREATE2' : 'CREATE'
    const answer = this.#enterCreate(name, frame.account, value, gas, initCode, salt)
    if (answer === undefined) return
    this.#interpreter.answer(false, answer.gas, noBytes)
  }

  #enterCreate(
    opcode: 'CREATE' | 'CREATE2',
    caller: AccountEntry,
    value: bigint,
    gas: bigint,
    initCodeView: Uint8Array,
    salt: Uint8Array | undefined,
  ): Answer | undefined {
    const { state, rules, tracer } = this.#host
    const depth = this.#frames.length
    const nonce = caller.nonce
    // Copied: it outlives the memory of the frame that asks.
    const initCode = initCodeView.slice()
    const refused = this.#createRefusal(caller, value, depth)
    if (refused !== undefined) return { gas, output: noBytes, fault: refused }
    state.setNonce(caller, nonce + 1n)
    const address =
      salt === undefined
        ? createAddress(caller.address, nonce)
        : create2Address(caller.address, salt, keccak256(initCode))
    const account = state.accountOf(address)
    if (rules.hasAccessLists) state.warm(account)
    if (account.nonce > 0n || account.codeHash !== emptyCode.hash || state.hasStorage(account)) {
      return { gas: 0n, output: noBytes, fault: 'ADDRESS_COLLISION' }
    }
    const from = caller.address
    tracer?.onEnter?.({ opcode, depth, from, to: address, value, gas, input: initCode })
    const mark: Checkpoint = state.mark()
    state.createContract(account)
    if (rules.removesEmptyAccounts) state.setNonce(account, 1n)
    if (value > 0n) {
      state.setBalance(caller, caller.balance - value)
      state.addBalance(account, value)
    }
    // Init code runs once; its hash is asked for by nobody.
    const code = new Code(initCode, noBytes)
    this.#push(
      { depth, account, caller, value, code, isStatic: false, isCreate: true, mark, gas },
      noBytes,
    )
    return undefined
  }

  #createRefusal(caller: AccountEntry, value: bigint, depth: number): Fault | undefined {
    if (depth > callDepthMax) return 'DEPTH'
    if (caller.balance < value) return 'INSUFFICIENT_BALANCE'
    if (caller.nonce >= nonceMax) return 'NONCE_OVERFLOW'
    return undefined
  }

  #push(frame: Frame, input: Uint8Array | undefined): void {
    this.#frames.push(frame)
    this.#host.frame = frame
    this.#interpreter.enter(frame, input)
  }
}

/** Address of a contract made by CREATE or by a transaction. */
export function createAddress(creator: Uint8Array, nonce: bigint): Uint8Array {
  return keccak256(encodeRlp([creator, minimalBytes(nonce)])).slice(12)
}

/** EIP-1014. */
export function create2Address(
  creator: Uint8Array,
  salt: Uint8Array,
  initCodeHash: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(85)
  bytes[0] = 0xff
  bytes.set(creator, 1)
  bytes.set(salt, 21)
  bytes.set(initCodeHash, 53)
  return keccak256(bytes).slice(12)
}

function minimalBytes(value: bigint): Uint8Array {
  return value === 0n ? noBytes : numberToBytes(value)
}
