/** Hardhat 2.29, unmodified, on a server as `npm start` has it: compiles, deploys by a script, tests. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openToolProject, type ToolProject, timeouts } from './tool-project.ts'

vi.setConfig(timeouts)

const program = 'node_modules/hardhat/internal/cli/bootstrap.js'

describe.each([1, 0])('Hardhat on blocks of %i s', (periodSeconds) => {
  let project: ToolProject
  beforeAll(async () => {
    project = await openToolProject('hardhat', program, periodSeconds)
  })
  afterAll(() => project?.close())

  it('compiles, and deploys from the account that the node signs for', async () => {
    expect(await project.tool('compile')).toContain('Compiled 1 Solidity file successfully')
    const output = await project.tool('run', 'scripts/deploy.js', '--network', 'cairn')
    expect(JSON.parse(output)).toEqual({
      token: expect.stringMatching(/^0x/),
      holder: project.server.info.endpoints.ethereum?.devAccount.address,
      balance: '1000',
    })
  })

  it.each(['cairn', 'cairn-by-key'])('tests on network %s', async (network) => {
    const output = await project.tool('test', '--network', network)
    expect(output).toContain('9 passing')
    expect(output).not.toMatch(/failing|pending/)
  })
})
