/**
 * Contracts in the console of a real node, by the lines of tutorials for geth's console: deployed, called, their events
 * got and watched; as a script and typed at the prompt. Runs the program that `npm run build` made.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createSystemClock, systemRandom } from '@cairn/core'
import { dataFromHex } from '@cairn/eth-codec'
import { nodeFileSystem } from '@cairn/journal'
import { type EthereumNode, openDevelopmentChain, openEthereumNode } from '@cairn/server'
import { compileToken } from '@cairn/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../../bin/cairn.js', import.meta.url))
const token = compileToken()
const other = '0x00000000000000000000000000000000000000aa'
let folder: string
let node: EthereumNode

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-contracts-'))
  const clock = createSystemClock()
  const chain = await openDevelopmentChain({
    directory: folder,
    files: nodeFileSystem,
    clock,
    random: systemRandom,
    periodSeconds: 0n,
  })
  node = await openEthereumNode({
    directory: folder,
    genesis: chain.genesis,
    ipcPath: join(folder, 'geth.ipc'),
    sealing: { privateKey: chain.sealerKey },
    accounts: { unlocked: [dataFromHex(chain.account.privateKey)] },
    clock,
  })
})
afterAll(async () => {
  await node.close()
  await rm(folder, { recursive: true })
})

const line = (...words: string[]) => [program, 'geth', '--datadir', folder, 'attach', ...words]

/** What every script here begins with. */
const start = `
  var abi = ${JSON.stringify(token.abi)};
  var code = ${JSON.stringify(token.bytecode)};
  var me = eth.accounts[0], other = "${other}";
  var Token = eth.contract(abi);
  function until(isThere) { while (!isThere()) admin.sleep(0.02) }
  function mined(hash) { until(function () { return eth.getTransactionReceipt(hash) !== null }) }
  function deploy(supply) {
    var made = Token.new(supply, {from: me, data: code, gas: 1000000});
    until(function () { return made.address });
    return made;
  }`

async function run(script: string): Promise<string[]> {
  const path = join(folder, 'script.js')
  await writeFile(path, `${start};${script}`)
  const { stdout } = await promisify(execFile)(
    process.execPath,
    line('--exec', `loadScript("${path}")`),
  )
  return stdout.trim().split('\n')
}

describe('contracts in the console', () => {
  it('are deployed, and told of twice: when they are sent, and when they are there', async () => {
    const shown = await run(`
      var seen;
      var made = Token.new(1000, {from: me, data: code, gas: 1000000}, function (error, contract) {
        if (error) console.log("failed", error);
        else if (!contract.address) console.log("sent", contract.transactionHash.length);
        else { console.log("mined", contract.address.length); seen = contract.address }
      });
      until(function () { return seen });
      console.log(made.address === seen, Token.at(seen).name(), made.totalSupply());
      console.log(eth.getCode(seen).length > 2, Token.getData(1, {data: code}).length - code.length)`)
    expect(shown).toEqual(['sent 66', 'mined 42', 'true Test 1000', 'true 64', 'true'])
  })

  it('are called, sent to, and estimated', async () => {
    const shown = await run(`
      var token = deploy("1000");
      console.log(token.balanceOf(me), token.balanceOf.call(other), token.balanceOf["address"](me));
      console.log(token.balanceOf(me).toNumber() / 16, token.balanceOf(me).plus(5).gt("1004"));
      mined(token.transfer(other, 10, {from: me, gas: 100000}));
      mined(token.transfer.sendTransaction(other, "0x5", {from: me}));
      console.log(token.balanceOf(other), token.balanceOf(other, "earliest" && eth.blockNumber - 1));
      console.log(token.transfer.call(other, 1, {from: me}), token.transfer.estimateGas(other, 1, {from: me}) > 21000);
      console.log(token.transfer.getData(other, 1));
      token.balanceOf(other, function (error, balance) { console.log(error, balance) });
      token.transfer.call(other, 1, {from: other}, function (error) { console.log(error === null) });
      eth.defaultAccount = me;
      mined(token.transfer(other, 1));
      console.log(web3.eth.contract(abi).at(token.address).balanceOf(other))`)
    const data = `0xa9059cbb${other.slice(2).padStart(64, '0')}${'1'.padStart(64, '0')}`
    expect(shown).toEqual([
      '1000 0 1000',
      '62.5 true',
      '15 10',
      'true true',
      JSON.stringify(data).slice(1, -1),
      'null 15',
      'true',
      '16',
      'true',
    ])
  })

  it('tell of their events: those of the past, and those that come', async () => {
    const shown = await run(`
      var token = deploy(1000);
      mined(token.transfer(other, 1, {from: me}));
      mined(token.transfer(me, 2, {from: me}));
      var all = token.Transfer({}, {fromBlock: 0}).get();
      console.log(all.length, all[1].event, all[1].args.to, all[1].args.value, all[1].data);
      console.log(token.Transfer({to: other}, {fromBlock: 0, toBlock: "latest"}).get().length);
      console.log(token.Transfer({to: [other, me]}, {fromBlock: 0}).get().length);
      token.allEvents({fromBlock: 0}).get(function (error, logs) { console.log(logs.length, logs[0].event) });
      var values = [];
      var watched = token.Transfer({from: me}, {fromBlock: 0});
      watched.watch(function (error, log) { values.push(log.args.value) });
      console.log(values.join());
      mined(token.transfer(other, 3, {from: me}));
      until(function () { return values.length === 3 });
      console.log(values.join(), watched.stopWatching());
      mined(token.transfer(other, 4, {from: me}));
      admin.sleep(0.2);
      console.log(values.join());
      var heads = 0, head = eth.filter("latest", function (error, hash) { if (hash.length === 66) heads++ });
      mined(token.transfer(other, 4, {from: me}));
      until(function () { return heads > 0 });
      console.log(heads, eth.filter({address: token.address, fromBlock: 0}).get().length)`)
    expect(shown).toEqual([
      `3 Transfer ${other} 1 undefined`,
      '1',
      '3',
      '3 Transfer',
      '1,2',
      '1,2,3 true',
      '1,2,3',
      '1 6',
      'true',
    ])
  })

  it('say what is wrong in a line', async () => {
    const cases = [
      ['token.transfer(other)', 'Invalid number of arguments to Solidity function'],
      ['token.transfer(other, 1)', 'invalid address'],
      ['token.transfer(other, "much", {from: me})', 'Argument value: much is no integer.'],
      ['token.transfer(other, -1, {from: me})', 'does not fit uint256'],
      ['token.transfer("0x12", 1, {from: me})', 'address'],
      [
        'token.transfer.call("0x" + "0".repeat(40), 1, {from: me})',
        'execution reverted: to nobody',
      ],
      ['Token.at(other).totalSupply()', 'totalSupply has no answer: is there such a contract'],
      ['Token.new(1, {from: me})', 'There is no code'],
      ['eth.contract({})', 'An ABI is an array'],
      ['eth.filter(7)', 'A filter is "latest"'],
    ] as const
    const tries = cases.map(([script]) => `try { ${script} } catch (e) { console.log(e.message) }`)
    const shown = (await run(`var token = deploy(10); ${tries.join(';')}`)).slice(0, -1)
    expect(shown).toHaveLength(cases.length)
    for (const [index, [script, message]] of cases.entries()) {
      expect(shown[index], script).toContain(message)
    }
  })

  it('are used at the prompt, where they come up by themselves', async () => {
    const file = join(folder, 'start.js')
    await writeFile(file, start)
    const child = spawn(process.execPath, line())
    let shown = ''
    const seen: { text: string; resolve: () => void }[] = []
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString()
      while (seen[0] !== undefined && shown.includes(seen[0].text)) seen.shift()?.resolve()
    })
    const until = (text: string) =>
      new Promise<void>((resolve) => {
        if (shown.includes(text)) resolve()
        else seen.push({ text, resolve })
      })
    const type = (text: string) => child.stdin.write(`${text}\n`)
    type(`loadScript("${file}")`)
    type(
      'var token = Token.new(7, {from: me, data: code, gas: 1000000}, function (e, c) { if (c.address) console.log("it is there") })',
    )
    await until('it is there')
    type('token.totalSupply()')
    await until('\n7\n')
    type(
      'token.Transfer({}, {fromBlock: 0}, function (e, log) { console.log("moved", log.args.value) })',
    )
    await until('moved 7')
    type('var hash = token.transfer(other, 3, {from: me})')
    await until('moved 3')
    type('var shown = Token.at(token.address); shown.abi = []; shown')
    await until('transfer: function()')
    const exited = once(child, 'exit')
    child.stdin.end()
    expect((await exited)[0]).toBe(0)
    const address = /address: "(0x[0-9a-f]{40})"/.exec(shown)?.[1]
    expect(shown).toContain(`{
  abi: [],
  address: "${address}",
  transactionHash: null,
  Transfer: function(),
  allEvents: function(),
  balanceOf: function(),
  divide: function(),
  name: function(),
  totalSupply: function(),
  transfer: function()
}`)
  })
})
