/**
 * What web3.js 4 does over one transport, as a program: the loader of the tests would give its CommonJS the wrong half
 * of `ws`. Arguments: transport, endpoint, private key, file with the compiled token. Prints a line of JSON.
 */
import { readFileSync } from 'node:fs'
import { Web3 } from 'web3'
import { IpcProvider } from 'web3-providers-ipc'

const [kind, endpoint, privateKey, contractFile] = process.argv.slice(2)
const { abi, bytecode } = JSON.parse(readFileSync(contractFile, 'utf8'))
const other = `0x${'22'.repeat(20)}`
const nobody = `0x${'00'.repeat(20)}`

const connect = () => new Web3(kind === 'ipc' ? new IpcProvider(endpoint) : endpoint)
const web3 = connect()
web3.eth.transactionPollingInterval = 20
web3.eth.transactionReceiptPollingInterval = 20
const { address: from } = web3.eth.accounts.wallet.add(privateKey)[0]

const deployment = new web3.eth.Contract(abi).deploy({ data: bytecode, arguments: [2n] })
const token = await deployment.send({ from, gas: '1000000' })
token.transactionReceiptPollingInterval = 20

const listening = kind === 'http' ? undefined : await listen()
const { events } = await token.methods.transfer(other, 1n).send({ from })
const sent = await token.methods
  .transfer(nobody, 1n)
  .send({ from })
  .catch((error) => error)

console.log(
  JSON.stringify({
    transferred: String(events.Transfer.returnValues.value),
    heard: await listening?.heard,
    custom: describe(await refusal(token.methods.transfer(other, 2n))),
    reason: describe(await refusal(token.methods.transfer(nobody, 0n))),
    panic: describe(await refusal(token.methods.divide(0n))),
    sent: describe(sent),
  }),
)
if (kind !== 'http') web3.provider.disconnect()

/**
 * Subscribes; `heard` is what a block and an event said, once both came. Each on a connection of its own: over IPC
 * web3-utils 4.3.3 loses what stands behind a notification in the same piece (SocketProvider, _onMessage).
 */
async function listen() {
  const [forBlocks, forEvents] = [connect(), connect()]
  const blocks = await forBlocks.eth.subscribe('newHeads')
  const transfers = new forEvents.eth.Contract(abi, token.options.address).events.Transfer()
  // The subscription stands once it has its id.
  if (transfers.id === undefined) await once(transfers, 'connected')
  const heard = Promise.all([once(blocks, 'data'), once(transfers, 'data')]).then(
    ([{ gasUsed }, { returnValues }]) => {
      for (const each of [forBlocks, forEvents]) each.provider.disconnect()
      return { hasGas: gasUsed > 0n, value: String(returnValues.value) }
    },
  )
  return { heard }
}

function once(subscription, name) {
  return new Promise((resolve, reject) => {
    subscription.on(name, resolve)
    subscription.on('error', reject)
  })
}

function refusal(call) {
  return call.call({ from }).then(
    () => new Error('it was not refused'),
    (error) => error,
  )
}

function describe({ message, cause }) {
  if (cause?.errorArgs === undefined) return { message }
  const { errorName, errorArgs } = cause
  const args = Array.from({ length: errorArgs.__length__ }, (_, i) => String(errorArgs[i]))
  return { message: cause.message, errorName, args }
}
