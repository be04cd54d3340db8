/**
 * JSON-RPC 2.0: text in, text out, for single calls and batches, whatever the transport. Calls of a batch begin in
 * order and are awaited together; geth runs them one after the other, which clients cannot tell from here since each
 * call takes effect when it begins.
 */
import type { Clock } from '@cairn/core'
import { type CallId, callIdText, isCallId, restoreIds } from './call-ids.ts'
import { faultOf, faults, type RpcErrorObject, type RpcFault } from './faults.ts'
import { JsonText } from './json-text.ts'
import type { CallContext, MethodTable, RpcMethod } from './method.ts'

export interface DispatcherOptions {
  /** Namespaces as `eth`, `net`; `rpc_modules` lists them. */
  readonly namespaces: Readonly<Record<string, MethodTable>>
  readonly limits?: Partial<DispatcherLimits>
  readonly clock: Clock
  /** Told of each call, for metrics and logs. */
  onCall?(call: CallReport): void
}

export interface CallReport {
  readonly method: string
  readonly transport: CallContext['transport']
  readonly durationMs: number
  readonly fault: RpcFault | undefined
  /** What was thrown, where it was not foreseen. */
  readonly error: unknown
}

export interface DispatcherLimits {
  /** Calls in one batch. */
  readonly batchCountMax: number
  /** Characters of all answers of a batch together. */
  readonly batchAnswerLengthMax: number
}

/** As geth has them: --rpc.batch-request-limit, --rpc.batch-response-max-size. */
export const defaultDispatcherLimits: DispatcherLimits = {
  batchCountMax: 1000,
  batchAnswerLengthMax: 25_000_000,
}

/** Calls of a batch that are under way at once: later ones are not begun where the answers of these are too long. */
const pendingCountMax = 128
/** How long the calls of a batch may keep the thread before everything else gets a turn. */
const turnMs = 10

/** Versions of namespaces, as `rpc_modules` shows them. */
const namespaceVersion = '1.0'

export class Dispatcher {
  readonly #methods = new Map<string, RpcMethod>()
  readonly #limits: DispatcherLimits
  readonly #clock: Clock
  readonly #onCall: (call: CallReport) => void

  constructor(options: DispatcherOptions) {
    this.#limits = { ...defaultDispatcherLimits, ...options.limits }
    this.#clock = options.clock
    this.#onCall = (call) => options.onCall?.(call)
    const modules: Record<string, string> = { rpc: namespaceVersion }
    for (const [namespace, table] of Object.entries(options.namespaces)) {
      modules[namespace] = namespaceVersion
      for (const [name, method] of Object.entries(table)) this.#methods.set(name, method)
    }
    this.#methods.set('rpc_modules', { call: () => modules })
  }

  /** Those that a client may call. */
  get methodNames(): readonly string[] {
    return [...this.#methods.keys()]
  }

  /** @returns the answer's text, or undefined when there is nothing to answer: notifications only. */
  async dispatch(text: string, context: CallContext): Promise<string | undefined> {
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return errorText(null, faults.parse())
    }
    restoreIds(message, text)
    if (!Array.isArray(message)) return await this.#answer(message, context)
    if (message.length === 0) return errorText(null, faults.emptyBatch())
    if (message.length > this.#limits.batchCountMax) {
      return errorText(firstId(message), faults.batchTooLarge())
    }
    return this.#batch(message, context)
  }

  async #batch(messages: readonly unknown[], context: CallContext): Promise<string | undefined> {
    const preparing = this.#prepare(messages)
    if (preparing !== undefined) await preparing
    const answers = await this.#answerAll(messages, { ...context, isInBatch: true })
    const texts = answers.filter((answer) => answer !== undefined)
    return texts.length === 0 ? undefined : `[${texts.join(',')}]`
  }

  /** One is begun after the other, with turns for everything else between. What is too much is not done at all. */
  async #answerAll(
    messages: readonly unknown[],
    context: CallContext,
  ): Promise<(string | undefined)[]> {
    const lengthMax = this.#limits.batchAnswerLengthMax
    let length = 0
    const bounded = (answer: string | undefined, message: unknown) => {
      length += answer?.length ?? 0
      if (answer === undefined || length <= lengthMax) return answer
      return errorText(idOf(message), faults.responseTooLarge())
    }
    const answers: (string | undefined | Promise<string | undefined>)[] = []
    let turnEndsMs = this.#clock.nowMs() + turnMs
    for (const [index, message] of messages.entries()) {
      const earlier = answers[index - pendingCountMax]
      if (earlier instanceof Promise) await earlier
      if (this.#clock.nowMs() >= turnEndsMs) {
        await new Promise<void>((resolve) => setImmediate(resolve))
        turnEndsMs = this.#clock.nowMs() + turnMs
      }
      const answer = length > lengthMax ? this.#refuse(message) : this.#answer(message, context)
      answers.push(
        answer instanceof Promise
          ? answer.then((text) => bounded(text, message))
          : bounded(answer, message),
      )
    }
    return Promise.all(answers)
  }

  /** A notification is not answered, whatever becomes of it. */
  #refuse(message: unknown): string | undefined {
    if (isCall(message) && message.id === undefined) return undefined
    return errorText(idOf(message), faults.responseTooLarge())
  }

  /** Undefined when there is nothing to wait for, so that calls begin before this returns. */
  #prepare(messages: readonly unknown[]): Promise<unknown> | undefined {
    const calls = new Map<RpcMethod, unknown[][]>()
    for (const message of messages) {
      if (!isCall(message) || !Array.isArray(message.params)) continue
      const method = this.#methods.get(message.method)
      if (method?.prepare === undefined) continue
      const list = calls.get(method)
      if (list === undefined) calls.set(method, [message.params])
      else list.push(message.params)
    }
    const waits = [...calls].flatMap(([method, list]) => method.prepare?.(list) ?? [])
    return waits.length === 0 ? undefined : Promise.all(waits)
  }

  #answer(
    message: unknown,
    context: CallContext,
  ): string | undefined | Promise<string | undefined> {
    if (!isCall(message)) {
      const id = idOf(message)
      return errorText(id, faults.invalidRequest())
    }
    const { id, method: name, params } = message
    const isNotification = id === undefined
    const startedMs = this.#clock.nowMs()
    const report = (fault?: RpcFault, error?: unknown) => {
      const durationMs = this.#clock.nowMs() - startedMs
      this.#onCall({ method: name, transport: context.transport, durationMs, fault, error })
    }
    const succeed = (result: unknown) => {
      const answer = isNotification ? undefined : resultText(id, result)
      report()
      return answer
    }
    const fail = (error: unknown) => {
      const fault = faultOf(error)
      report(fault, error)
      return isNotification ? undefined : errorText(id, fault)
    }
    try {
      const result = this.#call(name, params, context)
      if (!(result instanceof Promise)) return succeed(result)
      // An answer that cannot be written down fails like any other.
      return result.then(succeed).catch(fail)
    } catch (error) {
      return fail(error)
    }
  }

  #call(name: string, params: unknown, context: CallContext): unknown {
    const method = this.#methods.get(name)
    if (method === undefined) throw faults.methodNotFound(name)
    if (params !== undefined && params !== null && !Array.isArray(params)) {
      throw faults.nonArrayParameters()
    }
    return method.call(params ?? [], context)
  }
}

interface Call {
  readonly id: CallId | undefined
  readonly method: string
  readonly params: unknown
}

function isCall(message: unknown): message is Call {
  if (typeof message !== 'object' || message === null) return false
  const { id, method, jsonrpc } = message as Record<string, unknown>
  const isIdFine = id === undefined || isCallId(id)
  return jsonrpc === '2.0' && typeof method === 'string' && isIdFine
}

function idOf(message: unknown): CallId {
  if (typeof message !== 'object' || message === null) return null
  const { id } = message as Record<string, unknown>
  return isCallId(id) ? id : null
}

function firstId(messages: readonly unknown[]): CallId {
  const message = messages.find((it) => idOf(it) !== null)
  return message === undefined ? null : idOf(message)
}

/** @throws RpcFault when the answer is longer than a text can be. */
function resultText(id: CallId, result: unknown): string {
  let text: string
  try {
    text = result instanceof JsonText ? result.text : JSON.stringify(result ?? null)
  } catch (error) {
    throw error instanceof RangeError ? faults.responseTooLarge() : error
  }
  return `{"jsonrpc":"2.0","id":${callIdText(id)},"result":${text}}`
}

function errorText(id: CallId, fault: RpcFault): string {
  const error: RpcErrorObject = fault.toObject()
  return `{"jsonrpc":"2.0","id":${callIdText(id)},"error":${JSON.stringify(error)}}`
}
