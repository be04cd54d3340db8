/** A token from its contract to a refused transfer, with viem as it comes from the registry. */
import {
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { compileToken } from './compile.ts'

/** What the ready file of a running server says of its chain. */
export interface EthereumEndpoint {
  readonly chainId: number
  readonly http: string
  readonly devAccount: { readonly address: string; readonly privateKey: string }
}

export interface Outcome {
  readonly balances: readonly [bigint, bigint]
  readonly eventCount: number
  /** Name of the error with which the contract refused. */
  readonly refusedWith: string | undefined
}

const supply = 1000n
/** Somebody without a key here: tokens can be sent to anyone. */
const friend = '0x00000000000000000000000000000000000f1e4d'

export async function tellStory(
  endpoint: EthereumEndpoint,
  print: (line: string) => void,
): Promise<Outcome> {
  const chain = defineChain({
    id: endpoint.chainId,
    name: 'Cairn',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [endpoint.http] } },
  })
  const account = privateKeyToAccount(endpoint.devAccount.privateKey as `0x${string}`)
  const transport = http(endpoint.http)
  const client = createPublicClient({ chain, transport, pollingInterval: 100 })
  const wallet = createWalletClient({ chain, transport, account })

  print(' 1  Deploy the contract')
  const { abi, bytecode } = compileToken()
  const deployment = await wallet.deployContract({ abi, bytecode, args: [supply] })
  const deployed = await client.waitForTransactionReceipt({ hash: deployment })
  const address = deployed.contractAddress
  if (address === null || address === undefined) throw new Error('The contract was not deployed.')
  print(`    contract   ${address}`)
  print(`    block      ${deployed.blockNumber}, ${deployed.gasUsed} gas`)

  print(' 2  Send 30 points to a friend')
  const contract = { address, abi } as const
  const transfer = { ...contract, functionName: 'transfer' } as const
  const hash = await wallet.writeContract({ ...transfer, args: [friend, 30n] })
  const receipt = await client.waitForTransactionReceipt({ hash })
  print(`    transaction ${hash}`)
  print(`    block      ${receipt.blockNumber}, ${receipt.status}`)

  print(' 3  Who has how many')
  const balanceOf = (holder: string) =>
    client.readContract({
      ...contract,
      functionName: 'balanceOf',
      args: [holder],
    }) as Promise<bigint>
  const balances = [await balanceOf(account.address), await balanceOf(friend)] as const
  print(`    me         ${balances[0]}`)
  print(`    friend     ${balances[1]}`)

  print(' 4  The history of the token, from its events')
  const events = await client.getContractEvents({
    ...contract,
    eventName: 'Transfer',
    fromBlock: 0n,
  })
  for (const { blockNumber, args } of events) {
    const { to, value } = args as { readonly to?: string; readonly value?: bigint }
    print(`    block ${blockNumber}    ${value} to ${to}`)
  }

  print(' 5  Sending more than there is')
  const refusedWith = await refusalOf(() =>
    client.simulateContract({ ...transfer, args: [friend, 5000n], account }),
  )
  print(`    refused    ${refusedWith}`)
  return { balances, eventCount: events.length, refusedWith }
}

async function refusalOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (!(error instanceof BaseError)) throw error
    const reverted = error.walk((it) => it instanceof ContractFunctionRevertedError)
    if (!(reverted instanceof ContractFunctionRevertedError)) throw error
    return reverted.data?.errorName
  }
}
