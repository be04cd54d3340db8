/**
 * Target `ethereum-rpc`: texts of JSON-RPC, right and wrong, to a whole node. An input is one message a line; a first
 * line of `#http`, `#ws` or `#ipc` sends what follows over that transport, as one body, one frame or one stream.
 */
import type { SeededRandom } from '@cairn/testing'
import { jsonTokens, randomJson } from '../json-generator.ts'
import { CallMaker, wrongValues } from '../rpc-calls.ts'
import { RpcHost, type RpcTransport } from '../rpc-host.ts'
import { inputOfText, type Target, textOfInput } from '../target.ts'

/** Inputs of one node: its chain, its filters and its keys would grow without end. */
const inputCountMax = 2000
/** Inputs after which the node has to seal. */
const aliveCount = 100
const messageCountMax = 8

export const ethereumRpcTarget: Target = {
  name: 'ethereum-rpc',
  oracle:
    'every call is answered with a result or an error that is not the code of a failure inside; the node goes on to seal',
  sources: /\/packages\/eth-(?:rpc|chain|codec)\/src\//,
  inputMsMax: 5000,
  batchCount: 64,
  async open() {
    let host = await RpcHost.open()
    const maker = new CallMaker(host.node.dispatcher.methodNames)
    let inputCount = 0
    const reopen = async () => {
      await host.close()
      host = await RpcHost.open()
    }
    return {
      seeds: seedsOf(maker),
      dictionary: [...jsonTokens, ...tokens, ...wrongValues.map(inputOfText)],
      generate: (random) => generate(maker, random),
      async run(input) {
        inputCount++
        await send(host, input)
        if (inputCount % aliveCount === 0 && !(await host.checkAlive())) await reopen()
        if (inputCount % inputCountMax === 0) await reopen()
      },
      close: () => host.close(),
    }
  },
}

const tokens = [
  ...['{"jsonrpc":"2.0","id":1,"method":"', '"params":', '"params":[', '"id":', '"method":'],
  ...['"0x', '"latest"', '"@A"', '"@B"', '"@C"', '"@F"', '"@R"', '"@T"', 'null', '0x', ',', '\n'],
  ...['#http\n', '#ws\n', '#ipc\n', '"fromBlock":', '"topics":', '"data":', '"accessList":'],
].map(inputOfText)

function seedsOf(maker: CallMaker): Uint8Array[] {
  const single = maker.names.map((name) => maker.valid(name))
  const filters = ['eth_newFilter', 'eth_newBlockFilter', 'eth_newPendingTransactionFilter'].map(
    (name) => [name, 'eth_sendRawTransaction', 'eth_getFilterChanges', 'eth_uninstallFilter'],
  )
  const conversations = filters.map((names) => names.map((name) => maker.valid(name)).join('\n'))
  const batch = `[${single.join()}]`
  const framed = ['#http', '#ws', '#ipc'].map((transport) => `${transport}\n${batch}`)
  const odd = ['', '[]', '[1]', '{}', '[[]]', 'null', '{"jsonrpc":"2.0"}', '1', '"a"']
  return [...single, ...conversations, batch, ...framed, ...odd].map(inputOfText)
}

function generate(maker: CallMaker, random: SeededRandom): Uint8Array {
  if (random.chance(0.03)) return inputOfText(JSON.stringify(randomJson(random, 4)))
  const count = random.chance(0.7) ? 1 : 1 + random.below(6)
  const calls = Array.from({ length: count }, () => maker.random(random))
  const text = random.chance(0.5) ? calls.join('\n') : `[${calls.join()}]`
  const transport = random.chance(0.06) ? ['#http\n', '#ws\n', '#ipc\n'][random.below(3)] : ''
  return inputOfText(`${transport}${text}`)
}

async function send(host: RpcHost, input: Uint8Array): Promise<void> {
  const text = textOfInput(input)
  const framed = /^#(http|ws|ipc)\n/.exec(text)
  if (framed !== null) {
    const rest = host.resolve(text.slice(framed[0].length))
    // Bytes that are no UTF-8 go as they are.
    const isText = Buffer.from(text, 'utf8').equals(input)
    const bytes = isText ? Buffer.from(rest, 'utf8') : input.subarray(framed[0].length)
    await host.exchange(framed[1] as RpcTransport, bytes)
    return
  }
  for (const message of text.split('\n').slice(0, messageCountMax)) {
    await host.exchange('direct', Buffer.from(host.resolve(message), 'utf8'))
  }
}
