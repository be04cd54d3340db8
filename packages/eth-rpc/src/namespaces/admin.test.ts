/** What `admin` refuses before anybody listens or writes. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRpcTestNode, type RpcTestNode } from '../testing/rpc-node.ts'

const done: string[] = []
const note = (what: string) => async (): Promise<void> => void done.push(what)

let node: RpcTestNode
beforeAll(async () => {
  node = await openRpcTestNode(0n, ['admin'], {
    controls: {
      dataDirectory: '/data',
      startHttp: note('http'),
      stopHttp: note('no http'),
      startWebSocket: note('ws'),
      stopWebSocket: note('no ws'),
      exportChain: note('export'),
      importChain: note('import'),
    },
  })
})
afterAll(() => node.close())

async function errorOf(method: string, ...params: unknown[]): Promise<string | undefined> {
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const context = { transport: 'ipc', subscriber: undefined } as const
  const answer = JSON.parse((await node.dispatcher.dispatch(text, context)) ?? '{}')
  return answer.error === undefined ? undefined : `${answer.error.code} ${answer.error.message}`
}

it('refuses numbers that are no ports, and paths that are none', async () => {
  const noPort = '-32602 invalid argument 1: 65536 is no port: at most 65535'
  expect(await errorOf('admin_startHTTP', '127.0.0.1', 65_536)).toBe(noPort)
  expect(await errorOf('admin_startWS', '127.0.0.1', '0x10000')).toBe(noPort)
  const noPath = '-32602 invalid argument 0: not the path of a file'
  for (const path of ['', 'a\0b']) {
    expect(await errorOf('admin_exportChain', path)).toBe(noPath)
    expect(await errorOf('admin_importChain', path)).toBe(noPath)
  }
  expect(done).toEqual([])
  expect(await errorOf('admin_startHTTP', '127.0.0.1', 65_535)).toBeUndefined()
  expect(await errorOf('admin_startWS', null, '0x0')).toBeUndefined()
  expect(await errorOf('admin_exportChain', 'chain.rlp')).toBeUndefined()
  expect(done).toEqual(['http', 'ws', 'export'])
})
