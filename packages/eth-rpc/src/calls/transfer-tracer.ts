/**
 * Notes what a simulated message logs and, if that is wanted, each payment of ether as if it were the transfer of a
 * token (ERC-7528), in the order in which they happen. What a call that failed has logged is left out.
 */
import { dataFromHex, type Log } from '@cairn/eth-codec'
import type { TraceCall, TraceResult, Tracer } from '@cairn/eth-evm'

/** keccak256 of `Transfer(address,address,uint256)`. */
const transferTopic = dataFromHex(
  '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
  32,
)
/** ERC-7528: the address that stands for ether. */
const etherAddress = dataFromHex(`0x${'ee'.repeat(20)}`, 20)

export class TransferTracer implements Tracer {
  readonly #tracesTransfers: boolean
  /** Of what has not failed so far. */
  readonly logs: Log[] = []
  /** For each open call, how many there were before it. */
  readonly #marks: number[] = []

  constructor(tracesTransfers: boolean) {
    this.#tracesTransfers = tracesTransfers
  }

  onEnter({ opcode, from, to, value }: TraceCall): void {
    this.#marks.push(this.logs.length)
    if (opcode !== 'DELEGATECALL' && opcode !== 'CALLCODE') this.#transfer(from, to, value)
  }

  onExit({ error }: TraceResult): void {
    const mark = this.#marks.pop() ?? 0
    if (error !== undefined) this.logs.length = mark
  }

  onSelfDestruct(account: Uint8Array, heir: Uint8Array, balance: bigint): void {
    this.#transfer(account, heir, balance)
  }

  onLog(log: Log): void {
    this.logs.push(log)
  }

  #transfer(from: Uint8Array, to: Uint8Array, value: bigint): void {
    if (!this.#tracesTransfers || value === 0n) return
    this.logs.push({
      address: etherAddress,
      topics: [transferTopic, word(from), word(to)],
      data: dataFromHex(`0x${value.toString(16).padStart(64, '0')}`, 32),
    })
  }
}

function word(address: Uint8Array): Uint8Array {
  const padded = new Uint8Array(32)
  padded.set(address, 12)
  return padded
}
