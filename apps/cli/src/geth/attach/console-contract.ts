/**
 * Contracts in the console, as web3 0.20 has them: `eth.contract(abi).at(address)` and `.new(…)`, a function for each
 * method and event of the contract. Integers are bigints here, where web3 has its BigNumber.
 */
import {
  type AbiField,
  type AbiParameter,
  type AbiType,
  type AbiValue,
  abiSelector,
  abiSignature,
  addressFromText,
  dataFromHex,
  dataToHex,
  decodeAbi,
  encodeAbi,
  keccak256,
  parseAbiFields,
} from '@cairn/eth-codec'
import { answered, type Callback, type ConsoleFilter, consoleFilter } from './console-filter.ts'
import type { Polls } from './console-polls.ts'
import { readableFields } from './readable-fields.ts'
import type { Call } from './rpc-client.ts'

export interface ContractTools {
  readonly call: Call
  readonly polls: Polls
  /** Of the console. */
  readonly eth: {
    readonly blockNumber: number
    readonly defaultAccount: unknown
    call(transaction: object, block: unknown): string
    sendTransaction(transaction: object): string
    estimateGas(transaction: object): number
    getTransactionReceipt(hash: string): Receipt | null
    getCode(address: string): string
  }
}

interface Receipt {
  readonly blockHash: string | null
  readonly contractAddress: string
}

/** A member of the compiler's JSON. */
interface AbiItem {
  readonly type?: string
  readonly name?: string
  readonly inputs?: readonly EventParameter[]
  readonly outputs?: readonly AbiParameter[]
  readonly constant?: boolean
  readonly stateMutability?: string
  readonly anonymous?: boolean
}

interface EventParameter extends AbiParameter {
  readonly indexed?: boolean
}

type Method = ((...args: unknown[]) => unknown) & Record<string, unknown>

/** web3 0.20's: how long it waits for a contract to be mined. */
const waitBlockCountMax = 50

export function contractFactory(abi: readonly AbiItem[], tools: ContractTools): object {
  if (!Array.isArray(abi)) throw new Error('An ABI is an array, as the compiler makes it.')
  const { eth, polls } = tools
  const inputs = abi.find(({ type }) => type === 'constructor')?.inputs ?? []
  const deployment = (args: readonly unknown[]) => {
    const { values, options } = splitArguments(args, inputs.length)
    const code = dataFromHex(withPrefix(String(options?.['data'] ?? '')))
    if (code.length === 0) throw new Error('There is no code: give it as {data: "0x…"}.')
    const given = encodeAbi(parseAbiFields(inputs), abiValues(inputs, values))
    return { ...options, data: dataToHex(code) + dataToHex(given).slice(2) }
  }
  return {
    abi,
    at(address: string, callback?: Callback) {
      return answered(callback, () => {
        const contract = newContract(abi)
        attach(contract, dataToHex(addressFromText(address)), tools)
        return contract
      })
    },
    getData: (...args: unknown[]) => deployment(args).data,
    new(...args: unknown[]) {
      const callback = takeCallback(args)
      const contract = newContract(abi)
      const wasSent = answered(callback, () => {
        contract.transactionHash = eth.sendTransaction(withSender(deployment(args), eth))
        return contract
      })
      if (callback !== undefined && contract.transactionHash === null) return wasSent
      awaitCode(contract, callback)
      return contract
    },
  }

  /** Looks for the contract at each block, and makes it whole when it is there. */
  function awaitCode(contract: Contract, callback: Callback | undefined): void {
    const lastBlock = eth.blockNumber + waitBlockCountMax
    const end = polls.add(() => {
      const receipt = eth.getTransactionReceipt(contract.transactionHash ?? '')
      if (receipt === null || receipt.blockHash === null) {
        if (eth.blockNumber <= lastBlock) return
        end()
        fail(`Contract transaction couldn't be found after ${waitBlockCountMax} blocks`)
        return
      }
      end()
      if (eth.getCode(receipt.contractAddress).length <= '0x0'.length) {
        fail("The contract code couldn't be stored, please check your gas amount.")
        return
      }
      attach(contract, receipt.contractAddress, tools)
      callback?.(null, contract)
    })
    const fail = (reason: string) => {
      if (callback === undefined) throw new Error(reason)
      callback(new Error(reason))
    }
  }
}

interface Contract extends Record<string, unknown> {
  readonly abi: readonly AbiItem[]
  /** Undefined until it is known. */
  address: string | undefined
  transactionHash: string | null
}

function newContract(abi: readonly AbiItem[]): Contract {
  return { abi, address: undefined, transactionHash: null }
}

/** Gives a contract its address, methods and events. The first of several of one name has it for itself. */
function attach(contract: Contract, address: string, tools: ContractTools): void {
  contract.address = address
  const { abi } = contract
  const members = abi.flatMap((item): { item: AbiItem; member: Method }[] => {
    if (item.type === 'event') return [{ item, member: eventMethod([item], item, address, tools) }]
    const isFunction = item.type === undefined || item.type === 'function'
    return isFunction ? [{ item, member: functionMethod(item, address, tools) }] : []
  })
  for (const { item, member } of members) {
    const name = item.name ?? ''
    if (!Object.hasOwn(contract, name)) contract[name] = member
    const types = abiSignature('', item.inputs ?? []).slice(1, -1)
    const first = contract[name]
    if (typeof first === 'function') Reflect.set(first, types, member)
  }
  const events = abi.filter(({ type }) => type === 'event')
  if (!Object.hasOwn(contract, 'allEvents')) {
    contract['allEvents'] = eventMethod(events, undefined, address, tools)
  }
}

function functionMethod(item: AbiItem, address: string, tools: ContractTools): Method {
  const { eth } = tools
  const { name = '', inputs = [], outputs = [] } = item
  const fields = parseAbiFields(inputs)
  const outputFields = parseAbiFields(outputs)
  const selector = dataToHex(abiSelector(abiSignature(name, inputs)))
  const isConstant =
    item.constant === true || item.stateMutability === 'view' || item.stateMutability === 'pure'
  const request = (args: readonly unknown[]) => {
    const { values, options, block } = splitArguments(args, inputs.length)
    const data = selector + dataToHex(encodeAbi(fields, abiValues(inputs, values))).slice(2)
    return { transaction: { ...options, to: address, data }, block }
  }
  const asking =
    (ask: (args: unknown[]) => unknown): ((...args: unknown[]) => unknown) =>
    (...args) =>
      answered(takeCallback(args), () => ask(args))
  const call = asking((args) => {
    const { transaction, block } = request(args)
    const answer = dataFromHex(eth.call(transaction, block ?? 'latest'))
    if (answer.length === 0 && outputFields.length > 0) {
      throw new Error(`${name} has no answer: is there such a contract at ${address}?`)
    }
    const values = decodeAbi(outputFields, answer)
    const shown = outputFields.map(({ type }, index) => shownValue(type, values[index] as AbiValue))
    return shown.length > 1 ? shown : shown[0]
  })
  const sendTransaction = asking((args) =>
    eth.sendTransaction(withSender(request(args).transaction, eth)),
  )
  const method = (...args: unknown[]) => (isConstant ? call(...args) : sendTransaction(...args))
  return Object.assign(method, {
    call,
    sendTransaction,
    estimateGas: asking((args) => eth.estimateGas(request(args).transaction)),
    getData: (...args: unknown[]) => request(args).transaction.data,
    request: (...args: unknown[]) => {
      const { transaction, block } = request(args)
      return isConstant
        ? { method: 'eth_call', params: [transaction, block ?? 'latest'] }
        : { method: 'eth_sendTransaction', params: [transaction] }
    },
  }) as unknown as Method
}

/** @param one The event whose logs are wanted; undefined: all that are known. */
function eventMethod(
  known: readonly AbiItem[],
  one: AbiItem | undefined,
  address: string,
  tools: ContractTools,
): Method {
  const read = logReader(known, one)
  const method = (...args: unknown[]): ConsoleFilter => {
    const callback = takeCallback(args)
    const [indexed, range] = one === undefined ? [{}, args[0]] : args
    const { fromBlock, toBlock } = (range ?? {}) as Record<string, unknown>
    const topics = one === undefined ? [] : topicsOf(one, (indexed ?? {}) as object)
    const options = {
      address,
      topics,
      ...(fromBlock === undefined ? {} : { fromBlock: blockText(fromBlock) }),
      ...(toBlock === undefined ? {} : { toBlock: blockText(toBlock) }),
    }
    return consoleFilter({ method: 'eth_newFilter', params: [options], read }, tools, callback)
  }
  return method as Method
}

function blockText(block: unknown): unknown {
  const isNumber = typeof block === 'number' || typeof block === 'bigint'
  return isNumber ? `0x${block.toString(16)}` : block
}

/** Several values of one parameter: any of them. */
function topicsOf(event: AbiItem, wanted: object): unknown[] {
  const { inputs = [], anonymous = false } = event
  const topics: unknown[] = anonymous ? [] : [eventTopic(event)]
  for (const parameter of inputs.filter(({ indexed }) => indexed === true)) {
    const value = (wanted as Record<string, unknown>)[parameter.name ?? '']
    const isNone = value === undefined || value === null
    topics.push(
      isNone
        ? null
        : Array.isArray(value)
          ? value.map((each) => indexedTopic(parameter, each))
          : indexedTopic(parameter, value),
    )
  }
  return topics
}

function eventTopic({ name = '', inputs = [] }: AbiItem): string {
  return dataToHex(keccak256(Buffer.from(abiSignature(name, inputs))))
}

/** Of what does not fit into a topic, there is its hash. */
function indexedTopic(parameter: AbiParameter, value: unknown): string {
  const fields = parseAbiFields([parameter])
  const [given] = abiValues([parameter], [value]) as [AbiValue]
  const { kind } = (fields[0] as AbiField).type
  if (kind === 'string') return dataToHex(keccak256(Buffer.from(given as string)))
  if (kind === 'bytes') return dataToHex(keccak256(given as Uint8Array))
  if (kind === 'array' || kind === 'tuple') {
    throw new Error(
      `Logs cannot be searched by ${parameter.name}, which is of type ${parameter.type}.`,
    )
  }
  return dataToHex(encodeAbi(fields, [given]))
}

interface Log {
  readonly topics: readonly string[]
  readonly data: string
}

/** Logs with their values by name, as web3 shows them; one of an event that is not known stays as it is. */
function logReader(known: readonly AbiItem[], one: AbiItem | undefined): (log: unknown) => unknown {
  const byTopic = new Map(known.map((event) => [eventTopic(event), event]))
  return (result) => {
    const log = readableFields(result) as Log
    const event = one ?? byTopic.get(log.topics[0] ?? '')
    if (event === undefined) return log
    const { inputs = [], anonymous = false, name = '' } = event
    const topics = anonymous ? [...log.topics] : log.topics.slice(1)
    const unindexed = parseAbiFields(inputs.filter(({ indexed }) => indexed !== true))
    const values = decodeAbi(unindexed, dataFromHex(log.data))
    const args: Record<string, unknown> = {}
    for (const input of inputs) {
      const [field] = parseAbiFields([input]) as [AbiField]
      args[field.name] =
        input.indexed === true
          ? topicValue(field, topics.shift() ?? '0x')
          : shownValue(field.type, values.shift() as AbiValue)
    }
    const { topics: _, data: __, ...rest } = log
    return { ...rest, args, event: name }
  }
}

function topicValue(field: AbiField, topic: string): unknown {
  const isHash = ['string', 'bytes', 'array', 'tuple'].includes(field.type.kind)
  if (isHash) return topic
  return shownValue(field.type, decodeAbi([field], dataFromHex(topic))[0] as AbiValue)
}

function takeCallback(args: unknown[]): Callback | undefined {
  return typeof args.at(-1) === 'function' ? (args.pop() as Callback) : undefined
}

/** Behind the values of the method: what else the transaction has, and the block whose state counts. */
function splitArguments(
  args: readonly unknown[],
  count: number,
): { values: readonly unknown[]; options?: Record<string, unknown>; block?: unknown } {
  const rest = args.filter((it) => it !== undefined)
  const block = rest.length > count && !isOptions(rest.at(-1)) ? rest.pop() : undefined
  const options = rest.length > count && isOptions(rest.at(-1)) ? rest.pop() : undefined
  if (rest.length !== count) throw new Error('Invalid number of arguments to Solidity function')
  return {
    values: rest,
    ...(options === undefined ? {} : { options: options as Record<string, unknown> }),
    ...(block === undefined ? {} : { block }),
  }
}

function isOptions(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function withSender(
  transaction: Record<string, unknown>,
  { defaultAccount }: ContractTools['eth'],
): Record<string, unknown> {
  const from = transaction['from'] ?? defaultAccount
  if (from === undefined) throw new Error('invalid address: who sends? {from: eth.accounts[0]}')
  return { ...transaction, from }
}

function withPrefix(hex: string): string {
  return hex.startsWith('0x') ? hex : `0x${hex}`
}

/** What people type, as the values of the parameters. */
function abiValues(parameters: readonly AbiParameter[], values: readonly unknown[]): AbiValue[] {
  return parseAbiFields(parameters).map(({ name, type }, index) =>
    typedValue(type, values[index], name === '' ? String(index) : name),
  )
}

function typedValue(type: AbiType, value: unknown, path: string): AbiValue {
  switch (type.kind) {
    case 'uint':
    case 'int':
      try {
        return BigInt(value as string)
      } catch {
        throw new Error(`Argument ${path}: ${String(value)} is no integer.`)
      }
    case 'bool':
      return typeof value === 'boolean' ? value : Boolean(value)
    case 'address':
      return addressFromText(withPrefix(String(value)))
    case 'string':
      return String(value)
    case 'bytes':
      return bytesFrom(value)
    case 'fixedBytes': {
      // Shorter ones are filled up behind, as web3 does.
      const bytes = bytesFrom(value)
      if (bytes.length >= type.size) return bytes
      const filled = new Uint8Array(type.size)
      filled.set(bytes)
      return filled
    }
    case 'array':
      if (!Array.isArray(value)) throw new Error(`Argument ${path}: an array is needed.`)
      return value.map((item, index) => typedValue(type.item, item, `${path}.${index}`))
    case 'tuple':
      return type.fields.map((field, index) => {
        const fields = value as Readonly<Record<string, unknown>> | undefined
        const item = Array.isArray(value) ? value[index] : fields?.[field.name]
        return typedValue(field.type, item, `${path}.${field.name}`)
      })
  }
}

/** Hexadecimal, or the characters of a text that is none. */
function bytesFrom(value: unknown): Uint8Array {
  const text = String(value)
  return text.startsWith('0x') ? dataFromHex(text) : Uint8Array.from(Buffer.from(text))
}

function shownValue(type: AbiType, value: AbiValue): unknown {
  if (value instanceof Uint8Array) return dataToHex(value)
  if (type.kind === 'array') {
    return (value as readonly AbiValue[]).map((item) => shownValue(type.item, item))
  }
  if (type.kind !== 'tuple') return value
  const items = value as readonly AbiValue[]
  return type.fields.map((field, index) => shownValue(field.type, items[index] as AbiValue))
}
