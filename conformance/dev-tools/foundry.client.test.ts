/** forge of Foundry, unmodified, on a server as `npm start` has it: deploys by scripts, tests on a fork of it. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openToolProject, type ToolProject, timeouts } from './tool-project.ts'

vi.setConfig(timeouts)

const architecture = process.arch === 'x64' ? 'amd64' : process.arch
const program = `node_modules/@foundry-rs/forge-${process.platform}-${architecture}/bin/forge`

// Windows cannot run the script that stands for the compiler.
describe.skipIf(process.platform === 'win32')('forge', () => {
  let project: ToolProject
  let account: { readonly address: string; readonly privateKey: string }
  beforeAll(async () => {
    project = await openToolProject('foundry', program)
    const { devAccount } = project.server.info.endpoints.ethereum ?? {}
    if (devAccount === undefined) throw new Error('no chain')
    account = devAccount
  })
  afterAll(() => project?.close())

  const broadcast = ['--broadcast', '--rpc-url', 'cairn']
  const script = ['script', 'script/Deploy.s.sol', ...broadcast]
  const done = 'ONCHAIN EXECUTION COMPLETE & SUCCESSFUL.'

  it('compiles, and deploys from an account of the node and with a key', async () => {
    const { address, privateKey } = account
    expect(await project.tool(...script, '--unlocked', '--sender', address)).toContain(done)
    expect(await project.tool(...script, '--private-key', privateKey)).toContain(done)
    const create = ['create', 'contracts/Token.sol:Token', ...broadcast, '--json']
    const words = [...create, '--unlocked', '--from', address, '--constructor-args', '5']
    const created = JSON.parse(await project.tool(...words))
    expect(created).toMatchObject({
      deployer: account.address,
      deployedTo: expect.stringMatching(/^0x/),
    })
  })

  it('tests on a fork of the chain', async () => {
    const output = await project.tool('test', '--fork-url', 'cairn')
    expect(output).toContain('3 tests passed, 0 failed, 0 skipped')
  })
})
